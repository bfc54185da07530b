"""The files of the built book in _build/html: complete, linked, self-contained, and true.

`make book` comes first. What a reader meets in a browser is in test_reading.py.
"""

import json
import re
import tomllib
from copy import copy
from itertools import pairwise
from urllib.parse import unquote, urlsplit

import numpy as np
import pandas as pd
import pytest
import yaml
from bs4 import BeautifulSoup
from outline import CONFIG, EXERCISES, HTML, LESSONS, NAMES, ROOT, TOC
from PIL import Image

import alslib
from alslib import FeatureALS, Ratings, Recommender, load_movielens
from alslib.data.movielens import MOVIELENS

REPOSITORY = CONFIG["repository"]["url"]


@pytest.fixture(scope="session")
def chapters(pages):
    """The pages of the table of contents, by name."""
    return {name: pages[HTML / f"{name}.html"] for name in NAMES}


# What the files say


def test_every_entry_of_the_table_of_contents_is_a_page(pages):
    assert [name for name in NAMES if HTML / f"{name}.html" not in pages] == []


def test_the_start_page_leads_to_the_introduction():
    assert f"url={TOC['root']}.html" in (HTML / "index.html").read_text("utf-8")


def test_every_internal_link_and_anchor_resolves(pages):
    anchors = {
        path: {tag[key] for key in ("id", "name") for tag in soup.find_all(attrs={key: True})}
        for path, soup in pages.items()
    }
    broken = []
    for path, soup in pages.items():
        for tag in soup.find_all(["a", "link", "script", "img"]):
            url = urlsplit(tag.get("href") or tag.get("src") or "")
            if url.scheme or url.netloc:
                continue
            target = (path.parent / unquote(url.path)).resolve() if url.path else path
            anchored = target not in anchors or not url.fragment or url.fragment in anchors[target]
            if not target.exists() or not anchored:
                broken.append(f"{path.relative_to(HTML)}: {url.geturl()}")
    assert broken == []


def test_no_page_loads_anything_from_another_host(pages):
    only_names_an_address = {"canonical", "license", "next", "prev", "index", "search"}
    foreign = []
    for path, soup in pages.items():
        loaded = [tag["src"] for tag in soup.find_all(src=True)]
        loaded += [
            tag["href"]
            for tag in soup.find_all("link", href=True)
            if not only_names_an_address & set(tag["rel"])
        ]
        loaded += re.findall(r"url\((.*?)\)", " ".join(tag.text for tag in soup.find_all("style")))
        foreign += [f"{path.relative_to(HTML)}: {url}" for url in loaded if urlsplit(url).netloc]
    for style in HTML.rglob("*.css"):
        foreign += re.findall(r"url\([\"']?https?:.*?\)", style.read_text("utf-8"))
    assert foreign == []


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_says_how_long_what_it_shows_takes_to_read(chapters, lesson):
    """Counted again on the page: 170 words or 12 lines of code a minute, 40 seconds a figure."""
    article = copy(chapters[lesson].find("article"))
    said = article.find("h1").find_next("p").get_text()
    for folded in article.select("details, .toc, .headerlink, .cell.tag_hide-cell"):
        folded.decompose()
    figures = len(article.select(".cell_output img, .cell_output svg"))
    for output in article.select(".cell_output"):
        output.decompose()
    lines = 0
    for code in article.select(".cell_input pre"):
        lines += sum(1 for line in code.get_text().splitlines() if line.strip())
        code.decompose()
    minutes = len(article.get_text(" ").split()) / 170 + lines / 12 + figures * 40 / 60
    assert re.fullmatch(r"About \d+ minutes to read\.", said)
    assert abs(int(re.search(r"\d+", said)[0]) - minutes) < 5  # it is rounded to five


def test_every_picture_has_alternative_text(chapters):
    silent = [
        f"{name}: {image['src']}"
        for name, soup in chapters.items()
        for image in soup.select("article img")
        if not image.get("alt", "").strip() or image["alt"].startswith("../_images/")
    ]
    assert silent == []


def test_every_figure_keeps_its_room(chapters):
    n_figures = 0
    for name, soup in chapters.items():
        for image in soup.select("article img[src*='_images/'][src$='.png']"):
            with Image.open((HTML / name).parent / image["src"]) as picture:
                assert (int(image["width"]), int(image["height"])) == picture.size, name
            n_figures += 1
    assert n_figures > 20


@pytest.mark.parametrize("name", NAMES)
def test_page_has_title_description_and_open_graph_tags(chapters, name):
    soup = chapters[name]
    described = {
        tag.get("property") or tag.get("name"): tag["content"].strip()
        for tag in soup.find_all("meta", content=True)
    }
    assert soup.title.text.strip()
    for key in ("description", "og:title", "og:description", "og:url", "og:image", "og:image:alt"):
        assert described.get(key), f"no {key}"
    assert "\\" not in described["description"], "LaTeX in the description: give the page its own"
    image = urlsplit(described["og:image"]).path.rpartition("/_static/")[2]
    assert (HTML / "_static" / image).is_file()


def test_headings_are_an_outline_of_the_page(chapters):
    for name, soup in chapters.items():
        levels = [int(tag.name[1]) for tag in soup.find("article").find_all(re.compile("^h[1-6]$"))]
        assert levels[0] == 1 and levels.count(1) == 1, name
        assert all(b - a <= 1 for a, b in pairwise(levels)), name


def test_every_table_has_headings(chapters):
    bare = [
        f"{name}: {table.get_text(' ', strip=True)[:60]}"
        for name, soup in chapters.items()
        for table in soup.select("article table")
        if not table.find("th")
    ]
    assert bare == []


def test_no_page_is_heavier_than_half_a_megabyte(pages):
    sizes = {str(path.relative_to(HTML)): path.stat().st_size for path in pages}
    assert {name: size for name, size in sizes.items() if size > 500_000} == {}


def test_no_page_carries_widgets_that_it_does_not_show(chapters):
    for name, soup in chapters.items():
        state = soup.find_all("script", type="application/vnd.jupyter.widget-state+json")
        views = soup.find_all("script", type="application/vnd.jupyter.widget-view+json")
        assert bool(state) == bool(views), name


@pytest.mark.parametrize("name", LESSONS + EXERCISES)
def test_notebook_can_be_run_downloaded_edited_and_reported(chapters, name):
    links = [tag["href"] for tag in chapters[name].find_all("a", href=True)]
    file, branch = f"{name}.ipynb", CONFIG["repository"]["branch"]
    owner_and_name = urlsplit(REPOSITORY).path.strip("/")
    for wanted in (
        f"https://mybinder.org/v2/gh/{owner_and_name}/{branch}?urlpath=lab/tree/{file}",
        f"https://colab.research.google.com/github/{owner_and_name}/blob/{branch}/{file}",
        f"../_sources/{file}",
        f"{REPOSITORY}/edit/{branch}/{file}",
    ):
        assert wanted in links
    assert any(link.startswith(f"{REPOSITORY}/issues/new") for link in links)


def test_mathjax_is_pinned_without_naming_a_registry():
    lock = json.loads((ROOT / "book" / "_vendor" / "package-lock.json").read_text("utf-8"))
    packages = [package for where, package in lock["packages"].items() if where]
    assert packages
    assert all("integrity" in package and "resolved" not in package for package in packages)


# What the pages say, against what is so


def test_table_of_releases_agrees_with_the_package(chapters):
    rows = chapters["book/data"].select("table.releases tbody tr")
    told = [[cell.text.strip() for cell in row.find_all("td")] for row in rows]
    assert told == [
        [
            name,
            release.released,
            f"{release.n_users:,}",
            f"{release.n_movies:,}",
            f"{release.n_ratings:,}",
            "½ to 5" if release.step == 0.5 else "1 to 5",
        ]
        for name, release in MOVIELENS.items()
    ]


def test_no_half_star_is_older_than_the_data_page_says():
    ratings = load_movielens().ratings
    halves = ratings[ratings["rating"] % 1 != 0]
    first = np.datetime64(int(halves["timestamp"].min()), "s")
    assert np.datetime64("2003-02") <= first < np.datetime64("2004")


def test_every_user_has_twenty_ratings_as_the_data_page_says():
    assert load_movielens().ratings["user_id"].value_counts().min() == 20


def test_example_for_own_ratings_runs(capsys):
    text = (ROOT / "book" / "how_to_use.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    exec(compile(example, "how_to_use.md", "exec"), {})
    assert 1 <= float(capsys.readouterr().out) <= 5


def test_the_reference_has_every_public_name_and_no_other(chapters):
    described = [
        tag["id"]
        for page in ("book/api", "book/api_recommending")
        for tag in chapters[page].select("dt.sig[id]")
    ]
    top = [name.removeprefix("alslib.") for name in described if name.count(".") == 1]
    assert sorted(top) == sorted([*alslib.__all__, "SpreadRatings"])  # which has an extra


def test_every_page_is_in_the_sitemap_and_a_wrong_address_has_a_page():
    sitemap = (HTML / "sitemap.xml").read_text("utf-8")
    listed = re.findall(r"<loc>(.*?)</loc>", sitemap)
    base = CONFIG["html"]["baseurl"]
    assert {f"{base}{name}.html" for name in NAMES} <= set(listed)
    assert "404" not in sitemap
    missing = BeautifulSoup((HTML / "404.html").read_text("utf-8"), "html.parser")
    styles = [tag["href"] for tag in missing.find_all("link", rel="stylesheet")]
    # Shown in place of any address, however deep, it cannot use relative ones.
    assert styles and all(url.startswith(urlsplit(base).path) for url in styles)


def test_how_to_cite_agrees_with_the_citation_file():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    text = (ROOT / "book" / "how_to_use.md").read_text("utf-8")
    for wanted in (citation["title"], citation["url"], citation["version"]):
        assert f"{{{wanted}}}" in text
    assert f"year    = {{{citation['date-released'].year}}}" in text


def test_every_name_on_the_cheat_sheet_is_in_the_package():
    ratings = Ratings([1, 1, 2, 2], ["a", "b", "a", "c"], [5, 3, 4, 1])
    genres = pd.DataFrame({"Drama": [1, 0, 1]}, index=["a", "b", "c"])
    model = FeatureALS(1, joint=False, tau=0.1).fit(ratings, item_features=genres)
    known = {name: getattr(alslib, name) for name in alslib.__all__}
    known |= {"ratings": ratings, "users": [1], "items": ["a"], "user": 1, "item": "a"}
    known |= {"values": [5.0], "weights": [2.0], "predicted": [4.0]}
    known |= {"ridge_power": model.ridge_power}
    text = (ROOT / "book" / "cheat_sheet.md").read_text("utf-8")
    spans = re.findall(r"`([^`]+)`", re.sub(r"\{\w+\}`[^`]*`", "", text))
    assert len(spans) > 30
    for span in spans:
        if span.startswith('"'):
            assert span.strip('"') in model.blocks(ratings)
        elif span.startswith("joint="):
            model.set_params(joint=span == "joint=True")
        else:
            fitted = copy(model)  # some of them fit or update it
            eval(span, known | {"model": fitted, "recommender": Recommender(fitted, ratings)})


def test_the_address_of_the_repository_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    readme = (ROOT / "README.md").read_text("utf-8")
    how_to_use = (ROOT / "book" / "how_to_use.md").read_text("utf-8")
    assert citation["repository-code"] == REPOSITORY
    assert project["urls"]["Repository"] == REPOSITORY
    assert (
        f"mybinder.org/v2/gh{urlsplit(REPOSITORY).path}/{CONFIG['repository']['branch']}" in readme
    )
    assert f"git clone {REPOSITORY}\n" in how_to_use
    assert citation["url"] == CONFIG["html"]["baseurl"] == project["urls"]["Homepage"]
    assert citation["version"] == project["version"]
