"""Lesson 7: the demo to click on. It shows a `Visitor` and does nothing that a visitor cannot.

    from alslib import widgets
    widgets.Demo(visitor)

It needs ``ipywidgets`` and works in JupyterLab, in the classic notebook and under Voila.
"""

from __future__ import annotations

import base64
import functools
import html
import traceback
from collections.abc import Callable
from pathlib import Path

from alslib._extras import needed_for
from alslib.recommending.own_ratings import OwnRating
from alslib.recommending.preferences import PreferencesError
from alslib.recommending.unclear_widget import Unclear
from alslib.recommending.visitor import Visitor

with needed_for("the demo", extra="widgets"):
    import ipywidgets
    from traitlets.log import get_logger

    if (
        int(ipywidgets.__version__.partition(".")[0]) < 8
    ):  # Colab's; it cannot focus a field, and uploads differ
        raise ImportError(f"ipywidgets is {ipywidgets.__version__}, and has to be 8 or newer")

__all__ = ["Demo"]

# From acclaimed to personal: the weight α of a movie's esteem, its bias, in its score.
_ALPHAS = [1.0, 0.8, 0.6, 0.4, 0.2, 0.1, 0.05]
# Standard deviations taken off each score, from cautious to daring.
_CAUTIONS = [2.0, 1.5, 1.0, 0.5, 0.0, -0.5, -1.0]
_WAYS = {"choice": "what you would pick and like", "stars": "what you would rate highest"}
# A menu whose value is None shows a blank, whatever it calls that choice.
_NOTHING = ""
_FILE_NAME = "preferences.json"
_N_SHOWN_HITS = 8
_N_SHOWN_MOVIES = 10

# JupyterLab takes the keys of menus, buttons and sliders for its own: an arrow leaves the demo, and
# D, D deletes its cell (https://github.com/jupyter-widgets/ipywidgets/issues/3912). A widget's text
# runs no script, but a style in it tells when it is there.
_KEEP_KEYS = (
    "this.closest('.alslib-demo').onkeydown = (event) => "
    "event.ctrlKey || event.metaKey || event.altKey || event.stopPropagation()"
)
# That of ipywidgets is black, in dark themes, too; this grey is seen on white and on black.
_ARROW = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 18 18'%3E"
    "%3Cpath d='M5 7l4 4 4-4' fill='none' stroke='%23808080' stroke-width='2'/%3E%3C/svg%3E"
)
_STYLE = (
    f'<style onload="{_KEEP_KEYS}">'
    f'.alslib-demo {{ --jp-widgets-dropdown-arrow: url("{_ARROW}"); }}'
    """
.alslib-demo { max-width: 46em; line-height: 1.4; }
.alslib-demo h4 { margin: .6em 0 0; font-size: 1.1em; font-weight: 600; }
.alslib-demo .widget-label { text-align: left; }
.alslib-demo > .widget-dropdown, .alslib-demo .widget-select { flex-wrap: wrap; height: auto; }
.alslib-demo > .widget-dropdown select { flex: 1 1 16em; height: 28px; }
.alslib-demo .widget-select select { flex: 1 1 18em; }
.alslib-demo .widget-hslider { flex-wrap: wrap; height: auto; }
.alslib-demo .widget-hslider .widget-label { flex: 0 0 12em; }
.alslib-demo .widget-hslider .slider-container { flex: 1 1 10em; margin: 0 9px; }
.alslib-demo .noUi-handle { border-color: #808080; }
.alslib-demo .widget-readout {
  flex: 0 0 14em; max-width: none; margin-left: 12px; text-align: left;
}
.alslib-demo .alslib-row { align-items: center; flex-shrink: 0; }
.alslib-demo .alslib-row .widget-dropdown { min-width: 0; height: auto; align-items: center; }
.alslib-demo .alslib-row .widget-label {
  flex: 1; width: auto; height: auto; white-space: normal; line-height: 1.3;
}
.alslib-demo .alslib-row select { flex: 0 0 6em; height: 28px; }
.alslib-demo .alslib-row button { flex-shrink: 0; }
.alslib-demo .widget-html-content { line-height: 1.4; }
.alslib-demo a { text-decoration: underline; }
.alslib-demo ol { margin: .3em 0; padding-left: 2em; }
.alslib-demo li { margin-bottom: .4em; }
.alslib-demo small { display: block; font-size: .9em; line-height: 1.35; opacity: .85; }
.alslib-demo pre { white-space: pre-wrap; border-left: 3px solid #d55e00; padding: .5em; }
.alslib-demo.alslib-demo :focus-visible { outline: 2px solid #0072b2 !important; }
</style>"""
)


class Demo(ipywidgets.VBox):
    """Search a title, rate it, see what to watch.

    Everything can be done with the keyboard alone: Tab goes from field to field, arrow keys choose,
    Enter or Space presses a button. An error is shown below the list and goes to the log of the
    Jupyter server, with its traceback.

    Parameters
    ----------
    visitor : Visitor
    folder : str or Path, optional
        Where *Save* and *Open* have their files; None leaves the two out, for a page on the web,
        whose visitors should not write on the server. A download and an upload are always there.
    """

    def __init__(self, visitor: Visitor, folder: str | Path | None = "."):
        self.visitor = visitor
        self.folder = None if folder is None else Path(folder)
        self._rows: dict[int | str, _Row] = {}
        self._busy = False
        self._asked: int | str | None = None
        self._build_fields()
        self._listen()
        super().__init__(self._arranged())
        self.add_class("alslib-demo")
        self._show_ratings()

    def __repr__(self) -> str:
        return f"Demo({self.visitor!r})"

    def _build_fields(self) -> None:
        wide = ipywidgets.Layout(width="auto")
        stars = [(_stars(level), level) for level in self.visitor.levels]
        self.query = ipywidgets.Text(
            description="Movie", placeholder="begin to type a title", layout=wide
        )
        self.hits = ipywidgets.Select(description="Found", rows=4, layout=wide)
        self.stars = ipywidgets.Dropdown(
            description="Rating",
            options=[("choose", _NOTHING), *stars],
            value=_NOTHING,
            layout={"width": "14em"},
        )
        self.rate = ipywidgets.Button(
            description="Rate it", button_style="primary", layout={"width": "7em"}
        )
        self.ask = ipywidgets.Button(
            description="Ask me",
            tooltip="Be asked about the movie that says most about you",
            layout={"width": "7em"},
        )
        self.skip = ipywidgets.Button(
            description="Haven’t seen it", disabled=True, layout={"width": "10em"}
        )
        # A file can have hundreds: these scroll, so that the list stays near.
        self.rows = ipywidgets.VBox(layout={"max_height": "22em", "overflow": "auto"})
        self.alpha = ipywidgets.SelectionSlider(
            description="Acclaimed or personal?",
            options=[(_place(alpha), alpha) for alpha in _ALPHAS],
            style={"description_width": "initial"},
            layout={"width": "auto", "max_width": "42em"},
        )
        self.by = ipywidgets.Dropdown(
            description="First comes",
            options=[(_WAYS[way], way) for way in self.visitor.ways],
            layout={"width": "auto", "max_width": "24em"},
        )
        self.caution = ipywidgets.SelectionSlider(
            description="Cautious or daring?",
            options=[(_in_doubt(caution), caution) for caution in _CAUTIONS],
            value=0.0,
            style={"description_width": "initial"},
            layout={"width": "auto", "max_width": "42em"},
        )
        most = int(self.visitor.recommender.ratings.item_counts.max())
        self.min_ratings = ipywidgets.BoundedIntText(
            value=min(10, most),
            min=1,
            max=most,
            description="at least",
            layout={"width": "12em"},
            tooltip="Leave out movies with fewer ratings",
        )
        self.genre = ipywidgets.Dropdown(
            description="Genre",
            options=[("all", _NOTHING), *((genre, genre) for genre in self.visitor.genres)],
            value=_NOTHING,
            layout={"width": "16em"},
        )
        self.movies = ipywidgets.HTML()
        self.file_name = ipywidgets.Text(
            _FILE_NAME, description="File", continuous_update=False, layout={"width": "18em"}
        )
        narrow = {"width": "6em"}
        self.save = ipywidgets.Button(
            description="Save", tooltip="Write your ratings to the file", layout=narrow
        )
        self.open_file = ipywidgets.Button(
            description="Open",
            tooltip="Take the ratings of the file in place of yours",
            layout=narrow,
        )
        self.upload = ipywidgets.FileUpload(
            description="Upload",
            accept=".json,.csv,.tsv,.txt",
            tooltip="Take the ratings of a file of yours in place of those above: saved here, from "
            "Letterboxd, IMDb or MovieLens, or a list of titles and ratings",
            layout={"width": "9em"},
        )
        self.unclear = Unclear(self.visitor.title)
        self.download = ipywidgets.HTML()
        self.message = ipywidgets.HTML()
        self.errors = ipywidgets.HTML()

    def _arranged(self) -> list[ipywidgets.Widget]:
        line = ipywidgets.Layout(flex_flow="row wrap", align_items="center")
        on_disk = [] if self.folder is None else [self.file_name, self.save, self.open_file]
        unit = ipywidgets.Label("ratings", layout={"margin": "2px 1.5em 2px 2px"})
        questions = [self.ask, self.skip] if "choice" in self.visitor.ways else []
        return [
            ipywidgets.HTML(_STYLE + "<h4>Rate a movie</h4>"),
            self.query,
            self.hits,
            ipywidgets.HBox([self.stars, self.rate, *questions], layout=line),
            self.message,
            ipywidgets.HTML("<h4>Your ratings</h4>"),
            self.rows,
            ipywidgets.HBox([*on_disk, self.upload, self.download], layout=line),
            self.unclear,
            ipywidgets.HTML("<h4>What to watch</h4>"),
            *([self.by] if len(self.visitor.ways) > 1 else []),
            self.alpha,
            *([] if self.visitor.recommender.calibration is None else [self.caution]),
            ipywidgets.HBox([self.min_ratings, unit, self.genre], layout=line),
            self.movies,
            self.errors,
        ]

    def _listen(self) -> None:
        for field, handle in (
            (self.query, self._search),
            (self.hits, self._show_own_rating),
            (self.by, self._show_movies),
            (self.alpha, self._show_movies),
            (self.caution, self._show_movies),
            (self.min_ratings, self._show_movies),
            (self.genre, self._show_movies),
            (self.upload, self._take_upload),
        ):
            field.observe(self._shown(handle), "value")
        self.rate.on_click(self._shown(self._rate))
        self.ask.on_click(self._shown(self._ask))
        self.skip.on_click(self._shown(self._skip))
        self.unclear.rate.on_click(self._shown(self._rate_chosen))
        self.save.on_click(self._shown(self._save))
        self.open_file.on_click(self._shown(self._open))

    def _shown(self, handle: Callable[[], None]) -> Callable[..., None]:
        """Make a callback whose errors are seen: Jupyter shows those of a widget to nobody."""

        @functools.wraps(handle)
        def callback(*_) -> None:
            # One callback can set off others; none of them may wipe out what went wrong in another.
            outermost, self._busy = not self._busy, True
            if outermost:
                self.errors.value = ""
            try:
                handle()
            except Exception:
                get_logger().exception("error in the demo")
                self.errors.value += (
                    "<b>Something went wrong. Please report this:</b>"
                    f"<pre>{html.escape(traceback.format_exc())}</pre>"
                )
            finally:
                self._busy = not outermost

        return callback

    def _say(self, text: str) -> None:
        """Say what has been done, last of all: whoever reads it finds the rest as it says."""
        self.message.value = f'<span role="status">{html.escape(text)}</span>'

    def _search(self) -> None:
        self._end_question()
        found = self.visitor.search(self.query.value, _N_SHOWN_HITS)
        self.hits.options = list(zip(found["title"], found["item_id"], strict=True))
        self.hits.index = None if found.empty else 0
        nothing = self.query.value.strip() and found.empty
        self._say("No movie here has words that begin like this." if nothing else "")

    def _show_own_rating(self) -> None:
        self.stars.value = self.visitor.ratings.get(self.hits.value, _NOTHING)

    def _rate(self) -> None:
        if self.hits.value is None:
            self._say("Type a title first, and pick a movie.")
        elif self.stars.value == _NOTHING:
            self._say("Choose a rating first.")
        else:
            answered = self.hits.value == self._asked
            self._change_rating(self.hits.value, self.stars.value)
            if answered:
                self._ask()

    def _ask(self) -> None:
        self.query.value = ""  # what it found is not asked about
        self._asked = self.visitor.next_question()
        self.skip.disabled = self._asked is None
        if self._asked is None:
            self._say("There is no other movie to ask about.")
            return
        title = self.visitor.title(self._asked)
        self.hits.options = [(title, self._asked)]
        self.hits.index = 0
        self._show_own_rating()
        self._say(f"How many stars for {title}?")

    def _end_question(self) -> None:
        self._asked, self.skip.disabled = None, True

    def _skip(self) -> None:
        if self._asked is not None:  # a click that comes late
            self.visitor.skip(self._asked)
            self._ask()

    def _change_rating(self, item: int | str, stars: float) -> None:
        if self.visitor.ratings.get(item) != stars:  # a row that follows its visitor says so, too
            self.visitor.rate(item, stars)
            self._show_ratings()
            self._say(f"You gave {self.visitor.title(item)} {_stars(stars)}.")

    def _delete(self, item: int | str) -> None:
        self.visitor.delete(item)
        self._show_ratings()
        self._say(f"Your rating of {self.visitor.title(item)} is deleted.")
        self.query.focus()  # the button that had it is gone

    def _save(self) -> None:
        if path := self._path():
            try:
                self.visitor.save(path)
            except OSError as error:
                self._say(f"The file could not be written: {error.strerror}.")
            else:
                self._say(f"{_counted(len(self.visitor.ratings))} saved in {path.name}.")

    def _open(self) -> None:
        if path := self._path():
            try:
                self._take(path.read_bytes())
            except OSError as error:
                self._say(f"{path.name} could not be read: {error.strerror}.")

    def _path(self) -> Path | None:
        """Return the named file in the folder: a name alone, so that no other place is touched."""
        name = self.file_name.value.strip()
        if Path(name).name != name or not name.endswith(".json") or "\\" in name:
            self._say("A file needs a name that ends in .json, without a folder.")
            return None
        return self.folder / name

    def _take_upload(self) -> None:
        if self.upload.value:
            content = bytes(self.upload.value[0]["content"])
            self.upload.value = ()  # so that the same file can be taken again
            self._take(content)

    def _take(self, content: bytes) -> None:
        try:
            own = self.visitor.loads(content)
        except PreferencesError as error:
            self._say(f"{error} Your ratings are as they were.")
        else:
            self.unclear.show(own)
            self._show_ratings()
            to_choose = f" {len(own.doubtful)} to choose." if own.doubtful else ""
            read = _counted(len(self.visitor.ratings))
            self._say(f"{read} read.{to_choose}{_left_out(own.unknown)}")

    def _rate_chosen(self) -> None:
        chosen = self.unclear.take()
        for item, rating in chosen.items():
            self.visitor.rate(item, rating)
        if chosen:
            self._show_ratings()
            self._say(f"{_counted(len(chosen))} taken.")
            self.query.focus()  # the menus are others now
        else:
            self._say("Choose a movie first.")

    def _show_ratings(self) -> None:
        """Show what the visitor has rated, and all that follows from it."""
        ratings = self.visitor.ratings
        if self._asked in ratings:
            self._end_question()
        self._rows = {item: self._rows.get(item) or self._row(item) for item in ratings}
        for item, row in self._rows.items():
            row.stars.value = ratings[item]
        nothing = ipywidgets.Label("None yet. Rate a movie above.")
        self.rows.children = list(self._rows.values()) or [nothing]
        content = base64.b64encode(self.visitor.preferences().encode()).decode()
        self.download.value = (
            f'<a download="{_FILE_NAME}" href="data:application/json;base64,{content}">Download</a>'
        )
        self._show_own_rating()
        self._show_movies()

    def _row(self, item: int | str) -> _Row:
        row = _Row(self.visitor.title(item), self.visitor.levels, self.visitor.ratings[item])
        row.stars.observe(
            self._shown(lambda: self._change_rating(item, row.stars.value)), names="value"
        )
        row.delete.on_click(self._shown(lambda: self._delete(item)))
        return row

    def _show_movies(self) -> None:
        filters = {"min_ratings": self.min_ratings.value, "genre": self.genre.value or None}
        if self.visitor.ratings:
            by, alpha = self.by.value, self.alpha.value
            self.caution.disabled = by != "stars"
            caution = 0.0 if self.caution.disabled else self.caution.value
            table = self.visitor.recommend(
                _N_SHOWN_MOVIES, by=by, alpha=alpha, caution=caution, **filters
            )
            entries = [
                _entry(row, _facts(row, by), self._because(row.item_id))
                for row in table.itertuples()
            ]
            title = "For you"
        else:
            table = self.visitor.trending(_N_SHOWN_MOVIES, **filters)
            entries = [
                _entry(row, f"rated {row.n_recent} times in the last year of the data", "")
                for row in table.itertuples()
            ]
            title = "Trending"
        listed = (
            f"<ol>{''.join(entries)}</ol>" if entries else "<p>No movie passes the filters.</p>"
        )
        self.movies.value = f"<b>{title}</b>{listed}"

    def _because(self, item: int | str) -> str:
        reasons = [
            f"{row.title} {_stars(row.rating)} ({row.share:+.2f})"
            for row in self.visitor.because(item, by=self.by.value).itertuples()
        ]
        return f"Because you rated {' and '.join(reasons)}" if reasons else ""


class _Row(ipywidgets.HBox):
    """One line of the table: a title, its rating to be changed, a button to delete it."""

    def __init__(self, title: str, levels: list[float], rating: float):
        self.stars = ipywidgets.Dropdown(
            description=title,
            tooltip=title,
            options=[(_stars(level), level) for level in levels],
            value=rating,
            style={"description_width": "auto"},
            layout={"flex": "1 1 auto", "width": "auto"},
        )
        self.delete = ipywidgets.Button(
            description="Delete", tooltip=f"Delete your rating of {title}", layout={"width": "5em"}
        )
        super().__init__([self.stars, self.delete])
        self.add_class("alslib-row")


def _entry(row, number: str, because: str) -> str:
    """Return one movie of the list as HTML."""
    facts = f"{number} · {_counted(row.n_ratings)}"
    lines = [f"<small>{html.escape(line)}</small>" for line in (facts, because) if line]
    return f"<li>{html.escape(row.title)}{''.join(lines)}</li>"


def _facts(row, by: str) -> str:
    """Return the score of a movie, and how it would be rated where that is known."""
    score = f"score {row.score:.2f}{' ★' if by == 'stars' else ''}"
    if not hasattr(row, "low"):
        return score
    within = f"8 in 10 such ratings lie from {row.low:.1f} to {row.high:.1f}"
    return f"{score} · {row.predicted:.1f} ★ predicted, {within}"


def _in_doubt(caution: float) -> str:
    """Return what stands beside the slider of caution."""
    if not caution:
        return "as predicted"
    plural = "" if abs(caution) == 1 else "s"
    return f"{'−' if caution > 0 else '+'} {abs(caution):g} standard deviation{plural}"


def _stars(rating: float) -> str:
    return f"{rating:g}\N{NO-BREAK SPACE}★"


def _place(alpha: float) -> str:
    """Return what stands beside the slider: its ends have names."""
    name = {_ALPHAS[0]: "acclaimed", _ALPHAS[-1]: "personal"}.get(alpha)
    return f"{name} (α = {alpha:g})" if name else f"α = {alpha:g}"


def _counted(n: int) -> str:
    return f"{n:,} rating{'' if n == 1 else 's'}"


def _left_out(unknown: list[OwnRating]) -> str:
    if not unknown:
        return ""
    if len(unknown) == 1:
        return f" {unknown[0]} is not known here and was left out."
    return f" {len(unknown)} movies are not known here and were left out, such as {unknown[0]}."
