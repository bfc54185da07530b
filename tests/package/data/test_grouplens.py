"""Reading archives and folders that the user points at."""

import re

import grouplens_archives as tiny
import pytest

from alslib.data import movielens
from alslib.data.grouplens import rating_lines
from alslib.data.grouplens.movie_lines import split_title
from alslib.data.movielens import DataError, load_movielens


@pytest.fixture(params=tiny.FORMS)
def form(request):
    return tiny.FORMS[request.param]


def test_every_form_is_read_from_an_archive_or_a_folder(form, tmp_path):
    _, files, half_stars = form
    zipped = tmp_path / "mine.zip"
    zipped.write_bytes(tiny.archive(files))
    outer = tmp_path / "outer"
    inner = tiny.unpack(files, outer / "inner")
    for path, name in [(zipped, "mine"), (str(inner), "inner"), (outer, "outer")]:
        data = load_movielens(path=path, progress=False)
        assert data.name == name
        tiny.assert_is_tiny(data, half_stars)


def test_what_is_read_quickly_leaves_no_bar(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    load_movielens(path=tiny.unpack(tiny.csv_files(), tmp_path))
    assert capsys.readouterr() == ("", "")


def test_an_archive_without_a_folder_in_it_is_read_too(tmp_path):
    file = tmp_path / "flat.zip"
    file.write_bytes(tiny.archive(tiny.csv_files(), folder=""))
    tiny.assert_is_tiny(load_movielens(path=file), True)


def test_reading_in_blocks_gives_the_same_as_reading_at_once(form, tmp_path, monkeypatch):
    _, files, half_stars = form
    monkeypatch.setattr(rating_lines, "_BLOCK_BYTES", 1)
    tiny.assert_is_tiny(load_movielens(path=tiny.unpack(files, tmp_path)), half_stars)


def test_columns_may_come_in_another_order_and_with_others_between(tmp_path):
    files = tiny.csv_files()
    rows = [line.split(",") for line in files["ratings.csv"].decode().splitlines()]
    lines = [f"{rating},x y,{time},{movie},{user}" for user, movie, rating, time in rows]
    files["ratings.csv"] = "\n".join(lines).replace("x y", "note", 1).encode()  # no last newline
    tiny.assert_is_tiny(load_movielens(path=tiny.unpack(files, tmp_path)), True)


def test_titles_are_split_into_title_and_year():
    assert split_title("Heat (1995)") == ("Heat", 1995)
    assert split_title("Babylon 5") == ("Babylon 5", None)
    assert split_title("Death Note: Desu nôto (2006–2007)") == ("Death Note: Desu nôto", 2006)
    assert split_title("Big Bang Theory, The (2007- ) ") == ("Big Bang Theory, The", 2007)
    assert split_title("2001 (a.k.a. Space (1968)) (1970)") == ("2001 (a.k.a. Space (1968))", 1970)
    assert split_title("1984 (2014) (cut) ") == ("1984 (2014) (cut)", None)
    assert split_title("(1992)") == ("(1992)", None)


def test_a_name_with_a_path_is_checked(tmp_path):
    folder = tiny.unpack(tiny.csv_files(), tmp_path / "x")
    expected = (
        f"{folder} is not ml-25m of December 2019: expected 25,000,095 ratings, 162,541 users and "
        f"62,423 movies, found 6 ratings, 4 users and 5 movies. To read it all the same, call "
        f"load_movielens(path={str(folder)!r})"
    )
    with pytest.raises(DataError, match=re.escape(expected)):
        load_movielens("ml-25m", path=folder)
    whole_stars = r"ratings.csv, line 2: expected a rating of 1, 2, …, 5, found '4.5'"
    with pytest.raises(DataError, match=whole_stars):
        load_movielens("ml-1m", path=folder)


def test_an_unknown_name_is_an_error_that_lists_the_known():
    with pytest.raises(ValueError, match="unknown release 'ml-2m'; known are ml-latest-small-2016"):
        load_movielens("ml-2m")


# Each way in which files can be wrong: form, file, what to replace by what, and the error.
# Replacing by None removes the file.
DAMAGE = {
    "no ratings column": (
        ("csv", "ratings.csv", b"rating,", b"stars,"),
        r"ratings\.csv: expected one column rating in the first line, "
        r"which reads 'userId,movieId,stars,timestamp'$",
    ),
    "no title column": (
        ("csv", "movies.csv", b"title", b"name"),
        r"movies\.csv: expected one column title in the first line, which reads",
    ),
    "above the half-star scale": (
        ("csv", "ratings.csv", b"1,3,2.5", b"1,3,5.5"),
        r"ratings\.csv, line 3: expected a rating of 0\.5, 1, …, 5, found '5\.5'\. "
        r"The line reads: '1,3,5\.5,876893171'$",
    ),
    "between half stars": (
        ("csv", "ratings.csv", b"2,1,3.5", b"2,1,3.7"),
        r"ratings\.csv, line 4: expected a rating of 0\.5, 1, …, 5, found '3\.7'",
    ),
    "zero stars": (
        ("csv", "ratings.csv", b"2,1,3.5", b"2,1,0.0"),
        r"ratings\.csv, line 4: expected a rating of 0\.5, 1, …, 5, found '0\.0'",
    ),
    "not a number of stars": (
        ("dat of 10M", "ratings.dat", b"::2.5::", b"::nan::"),
        r"ratings\.dat, line 2: expected a rating of 0\.5, 1, …, 5, found 'nan'",
    ),
    "half a star among whole ones": (
        ("u", "u.data", b"3\t2\t1\t", b"3\t2\t1.5\t"),
        r"u\.data, line 4: expected a rating of 1, 2, …, 5, found '1\.5'",
    ),
    "too few fields": (
        ("dat of 1M", "ratings.dat", b"2::1::4::888550871", b"2::1::4"),
        r"ratings\.dat, line 3: expected 4 fields \(user_id, movie_id, rating, timestamp\) "
        r"separated by '::', found 3\. The line reads: '2::1::4'$",
    ),
    "too many fields": (
        ("csv", "ratings.csv", b"1,1,4.5,", b"1,1,4.5,9,"),
        r"ratings\.csv, line 2: expected 4 fields .* separated by commas, found 5",
    ),
    "a field too many, and one too few further down": (
        ("csv", "ratings.csv", b"58\r\n1,3,", b"58,1\r\n3,"),
        r"ratings\.csv, line 2: expected 4 fields .* separated by commas, found 5",
    ),
    "an empty line": (
        ("u", "u.data", b"2\t1", b"\n2\t1"),
        r"u\.data, line 3: expected 4 fields .* separated by tabs, found 1\. The line reads: ''$",
    ),
    "a user id that is text": (
        ("u", "u.data", b"2\t1\t", b"two\t1\t"),
        r"u\.data, line 3: expected user_id to be a whole number from 0 to 2147483647, found 'two'",
    ),
    "a movie id with a fraction": (
        ("csv", "ratings.csv", b"2,1,", b"2,1.5,"),
        r"ratings\.csv, line 4: expected movie_id to be a whole number .*, found '1\.5'",
    ),
    "a movie id below zero": (
        ("csv", "ratings.csv", b"2,1,", b"2,-1,"),
        r"ratings\.csv, line 4: expected movie_id to be a whole number .*, found '-1'",
    ),
    "a timestamp in milliseconds": (
        ("csv", "ratings.csv", b"888550871", b"888550871000"),
        r"ratings\.csv, line 4: expected timestamp to be a whole number .*, found '888550871000'",
    ),
    "a single colon": (
        ("dat of 1M", "ratings.dat", b"2::1::", b"2::1:::"),
        r"ratings\.dat, line 3: expected a rating of 1, 2, …, 5, found ':4'",
    ),
    "no ratings at all": (
        ("dat of 1M", "ratings.dat", tiny.dat_files()["ratings.dat"], b""),
        r"ratings\.dat holds no ratings$",
    ),
    "a rating of an unlisted movie": (
        ("csv", "movies.csv", b'2,"Mis', b'22,"Mis'),
        r"ratings\.csv, line 5: movie 2 is not in movies\.csv$",
    ),
    "a movie listed twice": (
        ("dat of 1M", "movies.dat", b"4::", b"3::"),
        r"movies\.dat, line 4: movie 3 is listed a second time$",
    ),
    "a movie without id": (
        ("csv", "movies.csv", b"\n4,", b"\n,"),
        r"movies\.csv, line 5: expected a movie id, a whole number, found ''$",
    ),
    "a title with a comma but no quotes": (
        ("csv", "movies.csv", b"Fawlty Towers", b"Fawlty, Towers"),
        r"movies\.csv, line 4: expected 3 fields, found 4$",
    ),
    "a quote that is never closed": (
        ("csv", "movies.csv", b'The (2007-)"', b"The (2007-)"),
        r"movies\.csv, line 5: ",
    ),
    "latin-1 in a csv": (
        ("csv", "movies.csv", "é".encode(), "é".encode("latin-1")),
        r"movies\.csv, line 3: expected UTF-8, found the byte 0xe9$",
    ),
    "a movie line cut short": (
        ("u", "u.item", b"|0|0|0|0|1\n", b"|0|0|0\n"),
        r"u\.item, line 2: expected 10 fields separated by '\|', found 8\. The line reads: '2\|Mis",
    ),
    "a genre flag of 2": (
        ("u", "u.item", b"|0|0|0|0|1\n", b"|0|0|0|0|2\n"),
        r"u\.item, line 2: expected genre flags 0 or 1, found \['0', '0', '0', '0', '2'\]$",
    ),
    "no movies": (
        ("csv", "movies.csv", b"", None),
        r"has ratings\.csv but no movies\.csv$",
    ),
    "no genres": (
        ("u", "u.genre", b"", None),
        r"has u\.data but no u\.genre$",
    ),
    "no ratings": (
        ("csv", "ratings.csv", b"", None),
        r"holds no ratings: expected one of ratings\.csv, ratings\.dat, u\.data in it or in a "
        r"folder in it, found ",
    ),
}


@pytest.mark.parametrize("packed", [True, False], ids=["archive", "folder"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_files_are_one_clear_error(damage, packed, tmp_path):
    (form, file, old, new), message = DAMAGE[damage]
    files = dict(tiny.FORMS[form][1])
    if new is None:
        del files[file]
    else:
        assert old in files[file]
        files[file] = files[file].replace(old, new, 1)
    path = tmp_path / "ml-test.zip" if packed else tmp_path / "folder"
    if packed:
        path.write_bytes(tiny.archive(files))
    else:
        tiny.unpack(files, path)
    name = "ml-1m" if form == "dat of 1M" else movielens.BUNDLED
    with pytest.raises(DataError, match=message) as caught:
        load_movielens(name, path=path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_long_bad_line_is_shown_in_part(tmp_path):
    files = tiny.csv_files()
    files["ratings.csv"] += b"x" * 1000
    with pytest.raises(DataError, match="line 8: .* reads: '" + "x" * 80 + "…'$"):
        load_movielens(path=tiny.unpack(files, tmp_path))


def test_a_bad_line_in_a_later_block_has_its_number_too(tmp_path, monkeypatch):
    monkeypatch.setattr(rating_lines, "_BLOCK_BYTES", 1)
    files = tiny.csv_files()
    files["ratings.csv"] += b"8,1,6,1\n"
    with pytest.raises(DataError, match="line 8: expected a rating"):
        load_movielens(path=tiny.unpack(files, tmp_path))


def test_a_damaged_archive_is_an_error_that_says_so(tmp_path):
    file = tmp_path / "ml-test.zip"
    content = bytearray(tiny.archive(tiny.csv_files()))
    content[content.index(b"ratings.csv") + 20] ^= 0xFF
    file.write_bytes(content)
    with pytest.raises(DataError, match=r"the archive .*ml-test\.zip is damaged"):
        load_movielens(path=file)


def test_any_altered_byte_of_an_archive_is_a_clear_error_or_harmless(tmp_path):
    """Harmless is a byte of what nobody reads, such as the date of a file, or of the README."""
    file = tmp_path / "ml-test.zip"
    good = tiny.archive(tiny.csv_files())
    n_refused = 0
    for position in range(len(good)):
        altered = bytearray(good)
        altered[position] ^= 0xFF if position % 2 else 1 << position % 16 // 2
        file.write_bytes(altered)
        try:
            found = load_movielens(path=file)
        except DataError:
            n_refused += 1
            continue
        tiny.assert_is_tiny(found, True)
    assert n_refused > len(good) / 2


def test_a_file_that_is_no_archive_is_an_error(tmp_path):
    file = tiny.unpack(tiny.csv_files(), tmp_path) / "ratings.csv"
    with pytest.raises(DataError, match=r"ratings\.csv is neither a zip archive nor a folder"):
        load_movielens(path=file)


def test_a_path_to_nothing_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no file or folder .*nowhere"):
        load_movielens(path=tmp_path / "nowhere")


def test_two_data_sets_in_one_folder_are_an_error_that_names_both(tmp_path):
    tiny.unpack(tiny.csv_files(), tmp_path / "a")
    tiny.unpack(tiny.u_files(), tmp_path / "b")
    message = r"holds more than one set of ratings; name one of them: .*a/ratings\.csv, .*b/u\.data"
    with pytest.raises(DataError, match=message):
        load_movielens(path=tmp_path)
