import dataclasses
import gc
import gzip
import hashlib
import http.server
import json
import mmap
import os
import re
import resource
import ssl
import threading
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from types import SimpleNamespace

import grouplens_archives as tiny
import numpy as np
import pandas as pd
import pytest

from alslib.data import movielens
from alslib.data.bundled import make_data
from alslib.data.grouplens import parsed_copy
from alslib.data.movielens import MOVIELENS, DataError, MovieLens, load_movielens

# pooch leaves the connection of a failed download to the garbage collector, which warns. The
# warning is ignored here, and provoked at the end, so that it does not turn up in another module.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

# Each file is a key and a certificate for 127.0.0.1, signed by itself and made for these tests
# alone: one is valid from 2000 to 9999, the other was until 2001.
CERTIFICATES = Path(__file__).parent / "certificates"


@pytest.fixture(scope="module", autouse=True)
def collect_garbage():
    yield
    gc.collect()


@pytest.fixture
def server(monkeypatch):
    """A web server on this machine in place of GroupLens's; `files` and `failures` steer it."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            state.requests.append(self.path)
            content = state.files.get(self.path.removeprefix("/"))
            if state.failures:
                state.failures -= 1
                self.send_error(503)
            elif content is None:
                self.send_error(404)
            else:
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: state.cut_at])

        def log_message(self, *args):
            pass

    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state = SimpleNamespace(files={}, failures=0, cut_at=None, requests=[])
    state.url = f"http://127.0.0.1:{listening.server_port}/"

    def stop():
        listening.shutdown()
        listening.server_close()

    def show(certificate):
        """Speak TLS from now on, with a certificate whose maker requests trusts."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        listening.socket = context.wrap_socket(listening.socket, server_side=True)
        state.url = state.url.replace("http:", "https:")
        monkeypatch.setattr(movielens, "BASE_URL", state.url)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))

    state.stop, state.show = stop, show
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setattr(movielens, "BASE_URL", state.url)
    monkeypatch.setattr("pooch.core.time", SimpleNamespace(sleep=lambda seconds: None))
    yield state
    stop()
    thread.join()


@pytest.fixture
def publish(server, monkeypatch):
    """Let the server offer tiny files under the name of a release, with their MD5 and counts."""

    def publish(name, files, md5="right"):
        content = tiny.archive(files)
        server.files[f"{name}.zip"] = content
        monkeypatch.setitem(
            MOVIELENS,
            name,
            dataclasses.replace(
                MOVIELENS[name],
                n_ratings=len(tiny.RATINGS),
                n_users=4,
                n_movies=len(tiny.MOVIES),
                md5=hashlib.md5(content).hexdigest() if md5 == "right" else md5,
            ),
        )
        return content

    return publish


@pytest.fixture(params=tiny.FORMS)
def form(request):
    return tiny.FORMS[request.param]


def load(name, cache, **options):
    return load_movielens(name, cache_dir=cache, progress=False, **options)


def everything_in(folder):
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*"))


# The bundled release


def test_printing_the_bundled_release_tells_its_counts():
    assert str(load_movielens()) == (
        "ml-latest-small-2016: 100,004 ratings, 671 users, 9,066 movies\n"
        "0.5 to 5 stars, January 1995 to October 2016"
    )


def test_bundled_release_has_the_documented_columns_and_every_rated_movie():
    data = load_movielens()
    assert data.name == "ml-latest-small-2016"
    assert list(data.ratings.dtypes.items()) == list(tiny.expected_ratings(True).dtypes.items())
    assert list(data.movies.dtypes.items()) == list(tiny.expected_movies().dtypes.items())
    assert set(data.ratings["movie_id"]) == set(data.movies["movie_id"])
    assert data.movies["movie_id"].is_monotonic_increasing and data.movies["movie_id"].is_unique
    assert not data.ratings.duplicated(["user_id", "movie_id"]).any()
    assert set(data.ratings["rating"]) == {k / 2 for k in range(1, 11)}
    first = data.movies.iloc[0]
    assert tuple(first) == (1, "Toy Story", 1995, "Adventure|Animation|Children|Comedy|Fantasy")


def test_bundled_titles_are_complete_and_without_year():
    movies = load_movielens().movies.set_index("movie_id")
    assert (movies["title"] != "").all() and (movies["title"] == movies["title"].str.strip()).all()
    assert not movies["title"].str.contains(r"\(\d{4}\)$").any()
    assert movies["genres"].eq("").sum() == 17
    without_year = movies.index[movies["year"].isna()]
    assert list(without_year) == [143410, 151307, 162376]
    assert movies.loc[108583, ["title", "year"]].tolist() == ["Fawlty Towers", 1975]


def test_titles_have_years_where_these_are_known():
    movies = pd.DataFrame(
        {
            "movie_id": [2, 5],
            "title": ["Matrix, The", "Unknown"],
            "year": pd.array([1999, None], dtype="Int16"),
            "genres": ["", ""],
        }
    )
    titles = MovieLens("two", pd.DataFrame(), movies).titles()
    assert titles.to_dict() == {2: "Matrix, The (1999)", 5: "Unknown"}


def test_recent_ratings_are_counted_up_to_the_last_one():
    day = 24 * 3600
    ratings = pd.DataFrame(
        {"movie_id": [1, 1, 2, 3, 3], "timestamp": [0, 9 * day, 9 * day + 1, 8 * day + 2, 10 * day]}
    )
    movielens = MovieLens("five", ratings, pd.DataFrame())
    assert movielens.recent_counts(days=1).to_dict() == {2: 1, 3: 1}  # a day ago is not within one
    assert movielens.recent_counts(days=11).to_dict() == {1: 2, 2: 1, 3: 2}


def test_recent_counts_stand_in_the_order_of_the_movies():
    """By count, how equal counts stand would be left to the version of pandas."""
    ratings = pd.DataFrame({"movie_id": [9, 9, 2, 7, 2, 9, 4], "timestamp": np.arange(7)})
    recent = MovieLens("seven", ratings, pd.DataFrame()).recent_counts()
    assert list(recent.items()) == [(2, 2), (4, 1), (7, 1), (9, 3)]


def test_bundled_files_have_the_checksums_and_sizes_in_their_readme():
    folder = resources.files("alslib.data.bundled")
    readme = (folder / "README.md").read_text(encoding="utf-8")
    row = re.compile(r"^\| `(.+gz)` .* \| ([\d,]+) \| ([\d,]+) \| `([0-9a-f]{64})` \|$", re.M)
    listed = row.findall(readme)
    assert [name for name, *_ in listed] == ["ratings.csv.gz", "movies.csv.gz"]
    for name, n_rows, n_bytes, sha256 in listed:
        content = (folder / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == sha256
        assert len(content) == int(n_bytes.replace(",", ""))
        lines = gzip.decompress(content).count(b"\n")
        assert lines == 1 + int(n_rows.replace(",", ""))


def test_make_data_does_what_its_readme_says(tmp_path):
    table = pd.DataFrame(
        {
            "movieId": [72641, 1, 108583, 162376, 1],
            "title": ["Blind Side, The ", "Toy Story", None, None, "Toy Story"],
            "year": [2009.0, 1995.0, np.nan, np.nan, 1995.0],
            "genres": [
                "(no genres listed)",
                "Animation",
                "Comedy",
                "(no genres listed)",
                "Animation",
            ],
            "userId": [2, 2, 1, 1, 1],
            "rating": [4.0, 3.5, 5.0, 4.5, 1.0],
            "timestamp": [5, 4, 3, 2, 1],
        }
    )
    ratings, movies = make_data.tidy(table)
    assert make_data.write(ratings, tmp_path / "r.gz") == make_data.write(
        ratings, tmp_path / "s.gz"
    )
    make_data.write(movies, tmp_path / "m.gz")
    assert gzip.decompress((tmp_path / "r.gz").read_bytes()).decode().splitlines() == [
        "user_id,movie_id,rating,timestamp",
        "1,1,1,1",
        "1,108583,5,3",
        "1,162376,4.5,2",
        "2,1,3.5,4",
        "2,72641,4,5",
    ]
    assert gzip.decompress((tmp_path / "m.gz").read_bytes()).decode().splitlines() == [
        "movie_id,title,year,genres",
        "1,Toy Story,1995,Animation",
        '72641,"Blind Side, The",2009,',
        "108583,Fawlty Towers,1975,Comedy",
        "162376,Stranger Things,,",
    ]


# Downloads and the parsed copy


def test_a_release_is_downloaded_verified_and_parsed(form, publish, tmp_path):
    name, files, half_stars = form
    publish(name, files)
    data = load(name, tmp_path / "new")
    assert data.name == name
    tiny.assert_is_tiny(data, half_stars)


def test_second_load_needs_neither_network_nor_archive_nor_parsing(
    form, publish, server, tmp_path, monkeypatch
):
    name, files, half_stars = form
    publish(name, files)
    load(name, tmp_path)
    server.stop()
    (tmp_path / f"{name}.zip").unlink()
    monkeypatch.setattr(movielens, "read_grouplens", None)
    tiny.assert_is_tiny(load(name, tmp_path), half_stars)
    assert server.requests == [f"/{name}.zip"]


def test_parsed_copy_is_mapped_and_changes_to_it_stay_in_memory(publish, tmp_path):
    publish("ml-25m", tiny.csv_files())
    load("ml-25m", tmp_path)
    data = load("ml-25m", tmp_path)
    column = data.ratings["user_id"].to_numpy()
    while isinstance(column.base, np.ndarray):
        column = column.base
    assert isinstance(column.base, mmap.mmap)
    on_disk = (tmp_path / "parsed/ml-25m/user_id.npy").read_bytes()
    data.ratings.loc[0, "user_id"] = 99
    assert (tmp_path / "parsed/ml-25m/user_id.npy").read_bytes() == on_disk
    data.ratings["rating"] *= 2
    tiny.assert_is_tiny(load("ml-25m", tmp_path), True)


@pytest.mark.parametrize("file", ["rating.npy", "user_id.npy", "movies.csv", "seal.json"])
@pytest.mark.parametrize("damage", ["cut", "one bit", "gone"])
def test_a_damaged_parsed_copy_is_rebuilt(file, damage, publish, server, tmp_path):
    publish("ml-1m", tiny.dat_files())
    load("ml-1m", tmp_path)
    server.stop()  # rebuilt from the archive that is there
    copied = tmp_path / "parsed" / "ml-1m" / file
    content = copied.read_bytes()
    if damage == "cut":
        copied.write_bytes(content[:-3])
    elif damage == "one bit":
        # In a seal, the first of the checksums' digits; elsewhere the last byte of the data.
        at = re.search(rb'npy": (?=\d)', content).end() if file == "seal.json" else -1
        copied.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at:][1:])
    else:
        copied.unlink()
    tiny.assert_is_tiny(load("ml-1m", tmp_path), False)
    assert copied.read_bytes() == content


@pytest.mark.parametrize("sums", [None, [], {}, {"rating.npy": 1}, {"../ratings.csv": 1}])
def test_a_parsed_copy_whose_seal_seals_something_else_is_rebuilt(publish, server, tmp_path, sums):
    publish("ml-1m", tiny.dat_files())
    load("ml-1m", tmp_path)
    server.stop()
    file = tmp_path / "parsed" / "ml-1m" / "seal.json"
    content = file.read_bytes()
    seal = json.loads(content) | {"crc32": sums}
    file.write_text(json.dumps({name: part for name, part in seal.items() if part is not None}))
    tiny.assert_is_tiny(load("ml-1m", tmp_path), False)
    assert file.read_bytes() == content


def test_a_parsed_copy_of_another_version_or_archive_is_rebuilt(publish, tmp_path, monkeypatch):
    publish("ml-1m", tiny.dat_files())
    load("ml-1m", tmp_path)
    monkeypatch.setattr(parsed_copy, "VERSION", parsed_copy.VERSION + 1)
    assert parsed_copy.load(tmp_path / "parsed/ml-1m", MOVIELENS["ml-1m"].md5) is None
    tiny.assert_is_tiny(load("ml-1m", tmp_path), False)
    publish("ml-1m", tiny.dat_files("utf-8") | {"README": b"another edition"})
    tiny.assert_is_tiny(load("ml-1m", tmp_path), False)
    seal = json.loads((tmp_path / "parsed/ml-1m/seal.json").read_bytes())
    assert seal["version"] == parsed_copy.VERSION
    assert seal["key"] == MOVIELENS["ml-1m"].md5


def test_cache_folder_comes_from_the_environment(publish, tmp_path, monkeypatch):
    publish("ml-1m", tiny.dat_files())
    monkeypatch.setenv("ALSLIB_CACHE", str(tmp_path / "elsewhere"))
    load_movielens("ml-1m", progress=False)
    assert (tmp_path / "elsewhere" / "ml-1m.zip").is_file()


def test_an_archive_put_into_the_cache_by_hand_is_used(publish, server, tmp_path):
    content = publish("ml-1m", tiny.dat_files())
    (tmp_path / "ml-1m.zip").write_bytes(content)
    server.stop()
    tiny.assert_is_tiny(load("ml-1m", tmp_path), False)


def test_a_damaged_archive_in_the_cache_is_downloaded_again(publish, tmp_path):
    content = publish("ml-1m", tiny.dat_files())
    (tmp_path / "ml-1m.zip").write_bytes(content[:100])
    tiny.assert_is_tiny(load("ml-1m", tmp_path), False)


def test_a_download_that_fails_is_tried_again(publish, server, tmp_path):
    publish("ml-1m", tiny.dat_files())
    server.failures = 2
    tiny.assert_is_tiny(load("ml-1m", tmp_path), False)
    assert len(server.requests) == 3


def assert_download_fails(kind, reason, server, cache):
    """One error that names address, reason and cure; nothing left in the cache."""
    with pytest.raises(kind, match=reason) as caught:
        load("ml-1m", cache)
    message = str(caught.value)
    address, md5 = f"{movielens.BASE_URL}ml-1m.zip", MOVIELENS["ml-1m"].md5
    assert message.startswith(f"{address} ")
    assert f"put it at {cache / 'ml-1m.zip'} and try again" in message
    assert "load_movielens('ml-1m', path=...)" in message
    assert "https://grouplens.org/datasets/movielens/" in message
    assert f"https://web.archive.org/web/{address}" in message
    assert (f"Its MD5 is {md5}." in message) is (md5 is not None)
    assert everything_in(cache) == []
    return message


def test_a_wrong_checksum_is_an_error_and_leaves_nothing(publish, server, tmp_path):
    publish("ml-1m", tiny.dat_files(), md5="0" * 32)
    reason = "is not the published file: MD5 hash .* expected md5:0{32} but got [0-9a-f]{32}"
    assert_download_fails(DataError, reason, server, tmp_path)
    assert len(server.requests) == 4


@pytest.mark.parametrize("md5", ["right", None])
def test_a_truncated_download_is_an_error_and_leaves_nothing(md5, publish, server, tmp_path):
    publish("ml-1m", tiny.dat_files(), md5)
    server.cut_at = 200
    reason = "could not be downloaded: .*IncompleteRead.200 bytes read"
    assert_download_fails(OSError, reason, server, tmp_path)


def test_a_file_that_is_gone_from_the_server_is_an_error(publish, server, tmp_path):
    publish("ml-1m", tiny.dat_files())
    server.files.clear()
    assert_download_fails(OSError, "could not be downloaded: 404 ", server, tmp_path)


def test_a_server_that_is_gone_is_an_error(publish, server, tmp_path):
    publish("ml-1m", tiny.dat_files())
    server.stop()
    assert_download_fails(OSError, "could not be downloaded: .*refused", server, tmp_path)


def test_a_certificate_that_has_expired_is_an_error_that_says_whose(publish, server, tmp_path):
    publish("ml-1m", tiny.dat_files())
    server.show(CERTIFICATES / "expired.pem")
    reason = "could not be downloaded: .*certificate has expired"
    message = assert_download_fails(OSError, reason, server, tmp_path)
    assert "did not pass the check, which alslib does not switch off" in message
    assert server.requests == []


def test_a_certificate_that_is_valid_will_do(publish, server, tmp_path):
    publish("ml-1m", tiny.dat_files())
    server.show(CERTIFICATES / "valid.pem")
    tiny.assert_is_tiny(load("ml-1m", tmp_path), False)


def test_a_certificate_that_nobody_vouches_for_is_an_error(publish, server, tmp_path, monkeypatch):
    publish("ml-1m", tiny.dat_files())
    server.show(CERTIFICATES / "valid.pem")
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    reason = "could not be downloaded: .*self.signed certificate"
    message = assert_download_fails(OSError, reason, server, tmp_path)
    assert "did not pass the check" in message
    assert server.requests == []


def test_a_server_that_speaks_no_tls_is_an_error(publish, server, tmp_path, monkeypatch):
    publish("ml-1m", tiny.dat_files())
    monkeypatch.setattr(movielens, "BASE_URL", server.url.replace("http:", "https:"))
    message = assert_download_fails(OSError, "could not be downloaded: .*SSL", server, tmp_path)
    assert "did not pass the check" not in message


def test_a_new_edition_under_the_old_name_is_an_error(publish, server, tmp_path, monkeypatch):
    publish("ml-latest-small", tiny.csv_files(), md5=None)
    edition = dataclasses.replace(MOVIELENS["ml-latest-small"], n_users=5)
    monkeypatch.setitem(MOVIELENS, "ml-latest-small", edition)
    message = (
        r"ml-latest-small\.zip is not ml-latest-small of September 2018: expected 6 ratings, "
        r"5 users and 5 movies, found 6 ratings, 4 users and 5 movies\. To read it all the same, "
    )
    with pytest.raises(DataError, match=message):
        load("ml-latest-small", tmp_path)
    assert everything_in(tmp_path) == ["ml-latest-small.zip"]


def test_a_page_in_place_of_an_unpinned_archive_does_not_stay_in_the_cache(
    publish, server, tmp_path
):
    publish("ml-latest-small", tiny.csv_files(), md5=None)
    archive = server.files["ml-latest-small.zip"]
    server.files["ml-latest-small.zip"] = b"<html>Please log in to this network</html>"
    with pytest.raises(DataError, match="is not the published file: it is no zip archive"):
        load("ml-latest-small", tmp_path)
    assert everything_in(tmp_path) == []
    server.files["ml-latest-small.zip"] = archive
    tiny.assert_is_tiny(load("ml-latest-small", tmp_path), True)


def test_a_malformed_release_is_an_error_and_leaves_no_parsed_copy(publish, tmp_path):
    files = tiny.dat_files()
    files["ratings.dat"] += b"1::2\n"
    publish("ml-1m", files)
    with pytest.raises(DataError, match=r"ml-1m\.zip/ml-test/ratings\.dat, line 7: expected 4"):
        load("ml-1m", tmp_path)
    assert everything_in(tmp_path) == ["ml-1m.zip"]


def test_a_cache_that_cannot_be_written_is_an_error(publish, tmp_path):
    publish("ml-1m", tiny.dat_files())
    blocked = tmp_path / "file" / "cache"
    blocked.parent.write_text("in the way")
    message = f"cannot write to the cache {blocked}: .*Not a directory.*cache_dir=.*ALSLIB_CACHE"
    with pytest.raises(OSError, match=message):
        load("ml-1m", blocked)
    assert everything_in(tmp_path) == ["file"]


@contextmanager
def full_disk(n_bytes):
    """Let no file grow beyond so many bytes: a real failure to write, at the end of a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_is_full_leaves_no_half_download(publish, tmp_path):
    publish("ml-1m", tiny.dat_files())
    with (
        full_disk(100),
        pytest.raises(OSError, match=r"cannot write to the cache .*: .*File too large"),
    ):
        load("ml-1m", tmp_path)
    assert everything_in(tmp_path) == []


@pytest.mark.parametrize("n_bytes", [140, 160])  # columns take 152 bytes, the movies more
def test_a_disk_that_fills_up_leaves_no_half_copy(n_bytes, publish, tmp_path):
    content = publish("ml-1m", tiny.dat_files())
    (tmp_path / "ml-1m.zip").write_bytes(content)
    with (
        full_disk(n_bytes),
        pytest.raises(OSError, match=r"cannot write to the cache .*cache_dir="),
    ):
        load("ml-1m", tmp_path)
    assert everything_in(tmp_path) == ["ml-1m.zip", "parsed"]


@pytest.mark.parametrize("failing", ["user_id.npy", "rating.npy", "seal.json"])
def test_a_copy_that_was_interrupted_is_not_used(failing, publish, tmp_path, monkeypatch):
    publish("ml-1m", tiny.dat_files())
    ordinary = os.replace

    def interrupted(source, target):
        if Path(target).name == failing:
            raise KeyboardInterrupt
        ordinary(source, target)

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        load("ml-1m", tmp_path)
    monkeypatch.setattr(os, "replace", ordinary)
    assert parsed_copy.load(tmp_path / "parsed/ml-1m", MOVIELENS["ml-1m"].md5) is None
    tiny.assert_is_tiny(load("ml-1m", tmp_path), False)


def test_progress_is_shown_unless_turned_off(publish, tmp_path, bars_at_once, monkeypatch, capfd):
    publish("ml-1m", tiny.dat_files())
    load_movielens("ml-1m", cache_dir=tmp_path / "a")
    assert "Downloading ml-1m.zip: 100%" in capfd.readouterr().err
    load_movielens("ml-1m", cache_dir=tmp_path / "b", progress=False)
    monkeypatch.setenv("TQDM_DISABLE", "1")
    load_movielens("ml-1m", cache_dir=tmp_path / "c")
    assert "%" not in capfd.readouterr().err
