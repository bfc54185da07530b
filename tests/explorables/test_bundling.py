"""One plain script does what the modules do as the browser itself loads them."""

import shutil

import pytest
from browser import serve

from alslib import explorables
from alslib.explorables import EXPLORABLES, bundle, script, style


@pytest.fixture
def modules(tmp_path, monkeypatch):
    """Write modules, each given as its lines, to be bundled instead of the package's own."""
    monkeypatch.setattr(explorables, "_FOLDER", tmp_path)
    bundle.cache_clear()

    def write(**sources):
        sources = {"shared": ["export const start = 1;"]} | sources
        for name, lines in sources.items():
            path = tmp_path / f"{name.replace('__', '/')}.js"
            path.parent.mkdir(exist_ok=True)
            path.write_text("\n".join([*lines, ""]), "utf-8")
        return tmp_path

    yield write
    bundle.cache_clear()


def exports_by_both(page, folder, name, shown):
    """What a module exports, as the browser has it and as the bundle has it."""
    with serve(folder) as home:
        (folder / "empty.html").touch()
        page.goto(f"{home}/empty.html")
        own = page.evaluate(
            f"async (path) => {{ const exports = await import(path); return ({shown})(exports); }}",
            f"{home}/{name}.js",
        )
    before = page.evaluate("Object.keys(globalThis)")
    page.evaluate(bundle(name))
    assert {*page.evaluate("Object.keys(globalThis)")} - {*before} == {"alsExplorables"}
    return own, page.evaluate(f"(name) => ({shown})(alsExplorables[name])", name)


def test_names_are_those_of_their_modules_and_each_module_runs_once(new_context, modules):
    folder = modules(
        shared=["export const start = () => 0;", "export const ran = [];"],
        parts__low=[
            'import { ran } from "../shared.js";',
            'ran.push("low");',
            "const own = 2;",
            "export function twice(x) { return own * x; }",
        ],
        parts__left=[
            'import { ran } from "../shared.js";',
            'import { twice } from "./low.js";',
            'ran.push("left");',
            "const own = 10;",
            "export const left = twice(own);",
        ],
        parts__right=[
            'import { ran } from "../shared.js";',
            "import {",
            "  twice,",
            '} from "./low.js";',
            'ran.push("right");',
            "export const right = twice(7);",
        ],
        top=[
            'import { left } from "./parts/left.js";',
            'import { right } from "./parts/right.js";',
            'import { ran } from "./shared.js";',
            "export const sum = left + right;",
            "export const order = ran;",
            "export const strict = (function () { return this === undefined; })();",
        ],
    )
    shown = "({ sum, order, strict }) => ({ sum, order, strict })"
    own, bundled = exports_by_both(new_context().new_page(), folder, "top", shown)
    assert own == bundled == {"sum": 34, "order": ["low", "left", "right"], "strict": True}


def test_every_explorable_exports_what_its_module_does(new_context, tmp_path):
    page = new_context().new_page()
    folder = shutil.copytree(explorables._FOLDER, tmp_path / "copy")
    for name in EXPLORABLES:
        own, bundled = exports_by_both(page, folder, name, "(all) => Object.keys(all).sort()")
        assert own == bundled
        assert "mount" in own


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        (
            {"top": ['import { gone, start } from "./shared.js";']},
            "shared.js does not export what top.js asks for: {'gone'}",
        ),
        (
            {"top": ['import { start as begin } from "./shared.js";']},
            "shared.js does not export what top.js asks for: {'start as begin'}",
        ),
        (
            {
                "top": ['import { b } from "./b.js";', "export const a = 1;"],
                "b": ['import { a } from "./top.js";', "export const b = 1;"],
            },
            "modules import each other: top > b > top",
        ),
        (
            {"top": ['import * as shared from "./shared.js";']},
            "top.js: no known form of import or export: import * as shared",
        ),
        (
            {"top": ["const a = 1;", "export default a;"]},
            "top.js: no known form of import or export: export default a;",
        ),
        ({"top": ["const a = 1;", "export { a };"]}, "no known form of import or export"),
        ({"top": ['import { a } from "elsewhere";']}, "no known form of import or export"),
    ],
)
def test_what_would_fail_on_a_page_fails_at_bundling(modules, sources, message):
    modules(**sources)
    with pytest.raises(ValueError) as refusal:
        bundle("top")
    assert message in str(refusal.value)


def test_a_module_that_is_not_there_is_missed(modules):
    modules(top=['import { a } from "./nowhere.js";'])
    with pytest.raises(FileNotFoundError, match="nowhere"):
        bundle("top")


def test_what_is_shown_cannot_end_the_script(new_context):
    page = new_context().new_page()
    title = "</script><!--<script> & </style>"
    html = '<div class="als-explorable" data-name="shrinkage"></div><script>{}</script>'
    data = {"movies": [[title, 3, 4.5, 2.0]] * 10, "gammas": [1], "gamma": 1}
    page.set_content(html.format(script("shrinkage", data)))
    assert page.locator(".als-explorable li").first.text_content().startswith(title)


def test_a_text_gives_way_and_a_place_is_filled_once(new_context):
    page = new_context().new_page()
    data = {"movies": [["Heat", 3, 4.5, 2.0]] * 10, "gammas": [1], "gamma": 1}
    page.set_content(
        '<div class="als-explorable" data-name="shrinkage"><p>Here would be one.</p></div>'
        '<div class="als-explorable" data-name="bowl"><p>And here.</p></div>'
        f"<script>{script('shrinkage', data)}</script>"
    )
    place, other = page.locator(".als-explorable").all()
    assert "Here would be one" not in place.text_content()
    assert place.locator("ol").count() == 1
    assert other.text_content() == "And here."
    page.evaluate(script("shrinkage", data))
    assert place.locator("ol").count() == 1


def test_a_slider_is_called_what_its_label_says_and_tells_its_value_once(new_context):
    """An `<output>` would take the label for itself, and be read at every step."""
    page = new_context().new_page()
    data = {"movies": [["Heat", 3, 4.5, 2.0]] * 10, "gammas": [1, 8], "gamma": 1}
    page.set_content(
        '<div class="als-explorable" data-name="shrinkage"></div>'
        f"<script>{script('shrinkage', data)}</script>"
    )
    slider = page.get_by_role("slider", name="Imaginary ratings", exact=True)
    assert slider.get_attribute("aria-valuetext") == "γ = 1"
    slider.press("End")
    assert slider.get_attribute("aria-valuetext") == "γ = 8"
    assert page.locator(".als-slider").text_content() == "Imaginary ratings γ = 8"
    assert page.get_by_role("status").count() == 1


def test_numbers_that_are_none_and_names_of_none_are_refused():
    with pytest.raises(ValueError, match="no explorable 'globe'; there are bowl, "):
        script("globe", {})
    with pytest.raises(ValueError, match="not JSON compliant"):
        script("bowl", {"tau": float("nan")})


def test_a_style_of_its_own_comes_after_the_shared_one(tmp_path, monkeypatch):
    monkeypatch.setattr(explorables, "_FOLDER", tmp_path)
    (tmp_path / "shared.css").write_text("p { margin: 0; }\n", "utf-8")
    (tmp_path / "bowl.css").write_text("p { margin: 1px; }\n", "utf-8")
    assert style("bowl") == "p { margin: 0; }\np { margin: 1px; }\n"
    assert style("turns") == "p { margin: 0; }\n"
