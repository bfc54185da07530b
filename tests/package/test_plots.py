"""Figures: alternative text always, sharp and small pictures, colours that stay apart."""

import io
from itertools import combinations
from xml.etree import ElementTree

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from matplotlib.colors import to_rgb
from PIL import Image

from alslib import plots

SVG = "{http://www.w3.org/2000/svg}"
ALT = "A curve that rises from 1 to 3."
PALETTE = {name: getattr(plots, name) for name in plots.__all__ if name.isupper()}

# What people with each kind of dichromacy see of linear red, green and blue: Machado, Oliveira and
# Fernandes, "A physiologically-based model for simulation of color vision deficiency", IEEE
# Transactions on Visualization and Computer Graphics 15(6), 2009, severity 1.
COLOUR_VISION = {
    "trichromacy": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


@pytest.fixture(autouse=True)
def style():
    """Each test draws without a screen and leaves matplotlib as it found it."""
    plt.switch_backend("agg")
    with mpl.rc_context():
        plots.use_style()
        yield
    plt.close("all")


@pytest.fixture
def displayed():
    """Show a figure in a real IPython session and hand back what it displayed."""
    shell = InteractiveShell.instance()
    shell.history_manager.enabled = False

    def show(fig, alt=ALT, hover=None):
        with capture_output() as captured:
            plots.show(fig, alt, hover)
        (output,) = captured.outputs
        return output

    yield show
    InteractiveShell.clear_instance()


def curve():
    fig, ax = plt.subplots()
    ax.plot([1, 2, 3], [1, 2, 3])
    ax.set_xlabel("sweep")
    ax.set_ylabel("RMSE [stars]")
    return fig


def linear(colour):
    value = np.array(to_rgb(colour))
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def lab(linear_rgb):
    """CIE L*a*b* under D65, in which equal distances look about equally different."""
    xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    ) @ np.clip(linear_rgb, 0, 1)
    f = np.cbrt(xyz / [0.9505, 1.0, 1.089])
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_alternative_text_is_stored_as_metadata_and_as_plain_text(displayed):
    output = displayed(curve())
    assert output.data["text/plain"] == ALT
    assert output.metadata["image/png"]["alt"] == ALT


@pytest.mark.parametrize("alt", ["", "  \n"])
def test_a_figure_without_alternative_text_is_refused_and_stays_open(alt):
    fig = curve()
    with pytest.raises(ValueError, match="alternative text"):
        plots.show(fig, alt)
    assert plt.fignum_exists(fig.number)


def test_a_shown_figure_is_closed_so_that_the_notebook_does_not_show_it_again(displayed):
    displayed(curve())
    assert plt.get_fignums() == []


def test_picture_has_two_pixels_for_each_pixel_of_its_shown_width(displayed):
    output = displayed(curve())
    width, _ = Image.open(io.BytesIO(output.data["image/png"])).size
    assert width == 2 * output.metadata["image/png"]["width"]


def test_background_is_opaque_white(displayed):
    picture = Image.open(io.BytesIO(displayed(curve()).data["image/png"])).convert("RGBA")
    assert picture.getpixel((0, 0)) == (255, 255, 255, 255)


def test_a_typical_figure_weighs_less_than_60_kB(displayed):
    fig, ax = plt.subplots()
    x = np.linspace(0, 10, 300)
    for factor, colour in enumerate(PALETTE.values(), start=1):
        ax.plot(x, factor * np.sqrt(x), color=colour, label=colour)
    ax.plot(*20 * np.random.default_rng(0).random((2, 500)), ".")
    ax.legend()
    assert len(displayed(fig).data["image/png"]) < 60_000


def test_lines_keep_their_exact_colours(displayed):
    fig, ax = plt.subplots()
    for height, colour in enumerate(PALETTE.values()):
        ax.barh(height, 1, color=colour)
    picture = Image.open(io.BytesIO(displayed(fig).data["image/png"])).convert("RGB")
    shown = {f"#{r:02X}{g:02X}{b:02X}" for _, (r, g, b) in picture.getcolors()}
    assert set(PALETTE.values()) <= shown


def test_same_figure_gives_the_same_bytes(displayed):
    assert displayed(curve()).data["image/png"] == displayed(curve()).data["image/png"]


def clouds(n_points=(3, 40), stretch=1.0):
    fig, ax = plt.subplots()
    rng = np.random.default_rng(0)
    clouds = [ax.scatter(*rng.random((2, n)) * stretch, label=str(n)) for n in n_points]
    return fig, {dots: [f"<{n}> & co" for n in range(len(dots.get_offsets()))] for dots in clouds}


def test_every_point_of_a_map_has_its_title_and_the_map_its_alternative_text(displayed):
    fig, hover = clouds()
    output = displayed(fig, hover=hover)
    assert output.data["text/plain"] == ALT and "image/png" not in output.data
    root = ElementTree.fromstring(output.data["text/html"])
    assert root.get("role") == "img" and root.get("aria-label") == ALT
    titles = [point.find(f"{SVG}title").text for point in root.iter(f"{SVG}use") if len(point)]
    assert titles == [title for names in hover.values() for title in names]
    assert not [element for element in root.iter(f"{SVG}g") if "id" in element.attrib]
    assert "script" not in output.data["text/html"]
    assert plt.get_fignums() == []


def test_same_map_gives_the_same_text(displayed):
    one, other = (displayed(fig, hover=hover) for fig, hover in (clouds(), clouds()))
    assert one.data == other.data


def test_a_map_does_not_hang_on_the_last_bits_of_its_coordinates(displayed):
    (fig, hover), (moved, of_moved) = clouds(), clouds(stretch=1 + 1e-9)
    assert displayed(fig, hover=hover).data == displayed(moved, hover=of_moved).data


def test_points_without_titles_are_refused():
    fig, hover = clouds()
    hover[next(iter(hover))].pop()
    with pytest.raises(ValueError, match="a scatter has 3 points and 2 titles"):
        plots.show(fig, ALT, hover)
    assert plt.fignum_exists(fig.number)


def test_style_can_be_set_twice():
    before = dict(mpl.rcParams)
    plots.use_style()
    assert dict(mpl.rcParams) == before


def test_lines_take_the_colours_of_the_palette_in_turn():
    _, ax = plt.subplots()
    drawn = [ax.plot([0, 1])[0].get_color() for _ in PALETTE]
    assert sorted(drawn) == sorted(PALETTE.values())


@pytest.mark.parametrize("vision", COLOUR_VISION)
def test_colours_stay_apart_under_every_colour_vision(vision):
    seen = {name: lab(COLOUR_VISION[vision] @ linear(c)) for name, c in PALETTE.items()}
    distances = {
        (one, other): np.linalg.norm(seen[one] - seen[other])
        for one, other in combinations(seen, 2)
    }
    closest = min(distances, key=distances.get)
    assert distances[closest] > 10, f"{closest} are hard to tell apart"
