"""Enter points in a table that a learning platform has exported, for it to import again.

It is for ``grade.py --fill`` and travels beside it. Three tables are known, each by its header:

- Moodle's grading worksheet of an assignment: ``Identifier``, ``Grade``, ``Maximum grade``, ...;
- Moodle's gradebook as plain text: ``ID number``, ``Email address``, ... and a column for each grade;
- Canvas's gradebook: ``Student``, ``ID``, ``SIS User ID``, ``SIS Login ID``, ``Section``, one for
  each assignment, and in the second or third row ``Points Possible``.

Nothing but one column is changed, and in it nothing but the cells of those who handed in. Of Canvas's
table only this column is kept, for the others would overwrite what has been graded since.
"""

import csv
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

# What teachers download is called "Ada Lovelace_17_assignsubmission_file" by Moodle, where 17 is the
# number in the worksheet, and "lovelaceada_LATE_23_4711_any name" by Canvas, where 23 is the ID.
_MOODLE = re.compile(r"(?P<name>[^/]+)_(?P<number>\d+)_assignsubmission_")
_CANVAS = re.compile(r"[^_/]+_(?:LATE_)?(?P<id>\d+)_\d+_")
_TELLS_WHO = re.compile(
    r"\bid\b|name|mail|student|login|identifier|section", re.IGNORECASE
)
_MAXIMUM = ("maximum grade", "points possible")


class Gradebook:
    """A table with a row for each student, and a column for the points.

    Parameters
    ----------
    path : Path
        The table that the platform has exported.
    column : str or None
        Header of the column for the points; a new one if there is none of this name. None is the
        column ``Grade`` of Moodle's worksheet.
    out_of : float
        The most points that there are, which the platform shall know as well.

    Raises
    ------
    ValueError
        If the column is not named, or the platform has another maximum for it.
    """

    def __init__(self, path: Path, column: str | None, out_of: float):
        self._path, self._people = path, {}
        with path.open(encoding="utf-8-sig", newline="") as file:
            self._delimiter = max(",;\t", key=file.readline().count)
            file.seek(0)
            self._rows = list(csv.reader(file, delimiter=self._delimiter))
        head = self._rows[0]
        self._column = _place(head, column or "Grade")
        if self._column is None and column is None:
            raise ValueError(
                f"say which --column of {path.name} gets the points: "
                f"one of {', '.join(head)}, or a new one"
            )
        self._is_new = self._column is None
        if self._is_new:
            self._column = len(head)
            head.append(column)
        for row in self._rows:
            row += [""] * (len(head) - len(row))
        self._check_maximum(out_of)
        section = _place(head, "Section")
        if head[0] in ("Student", "LastName") and section is not None:
            kept = [*range(section + 1), self._column]
            self._rows = [[row[i] for i in kept] for row in self._rows]
            self._column = len(kept) - 1
        self._identifies = [
            i
            for i, name in enumerate(self._rows[0])
            if _TELLS_WHO.search(name) and i != self._column
        ]

    def _check_maximum(self, out_of: float) -> None:
        """Compare the most points with what the table says about them, or say it there."""
        places = [_place(self._rows[0], name) for name in _MAXIMUM]
        for row in self._rows[1:]:
            if row[0].strip().lower() in _MAXIMUM:
                if self._is_new:
                    row[self._column] = str(out_of)
                told = row[self._column]
            else:
                told = next((row[i] for i in places if i is not None), "")
            if _number(told) not in (None, out_of):
                raise ValueError(
                    f"{self._path.name} has a maximum of {told} points, and the tasks together "
                    f"{out_of}: say --out-of {told}, or change it there"
                )

    def find(self, submissions: Iterable[str]) -> dict[str, dict[str, str]]:
        """Return what tells the platform who has handed in, for each submission.

        Where it is not clear who that is, this is empty, and no points will be entered.
        """
        found = {name: self._row_of(name) for name in submissions}
        rows = list(found.values())
        self._people = {
            name: row
            for name, row in found.items()
            if row is not None and rows.count(row) == 1
        }
        head = self._rows[0]
        return {
            name: {
                head[i]: self._rows[self._people[name]][i]
                if name in self._people
                else ""
                for i in self._identifies
            }
            for name in submissions
        }

    def _row_of(self, submission: str) -> int | None:
        """Return the one row that a submission fits; the surest way to tell comes first."""
        if fits := _MOODLE.match(submission):
            wanted = [f"participant {fits['number']}", fits["name"]]
        elif fits := _CANVAS.match(submission):
            wanted = [fits["id"]]
        else:
            wanted = [submission]
        for name in wanted:
            rows = [
                i
                for i, row in enumerate(self._rows)
                if i and name.casefold() in self._names(row)
            ]
            if rows:
                return rows[0] if len(rows) == 1 else None
        return None

    def _names(self, row: list[str]) -> set[str]:
        """Return how a student may be called."""
        names = {row[i].strip().casefold() for i in self._identifies} - {""}
        if number := re.fullmatch(
            r"\D+(\d+)", row[0]
        ):  # "Participant", in any language
            names.add(f"participant {number[1]}")
        return names | {" ".join(row[:2]).casefold()}  # first and last name

    def write(self, points: Mapping[str, float], beside: Path) -> str:
        """Write the table with the points in it, and return what there is to say about it."""
        for name, row in self._people.items():
            self._rows[row][self._column] = str(points[name])
        path = beside.with_name(f"{self._path.stem}_filled.csv")
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, delimiter=self._delimiter).writerows(self._rows)
        column = f"{'the new' if self._is_new else 'the'} column {self._rows[0][self._column]!r}"
        return f"{path}: {len(self._people)} of {len(points)} submissions entered in {column}"


def _place(head: list[str], name: str) -> int | None:
    """Return where a column stands, however its name is written."""
    names = [entry.strip().casefold() for entry in head]
    return names.index(name.casefold()) if name.casefold() in names else None


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None
