"""The tables of the benchmarks page are those that the recorded results give."""

from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.parametrize(
    ("section", "make"),
    [
        ("accuracy", lambda report: [report.accuracy_table()]),
        ("published", lambda report: [report.published_table()]),
        ("newcomers", lambda report: report.newcomers_tables()),
        ("interview", lambda report: [report.interview_table()]),
        ("cluster", lambda report: report.cluster_tables()),
        ("pages", lambda report: report.pages_table()),
        ("first use", lambda report: report.first_use_tables()),
        ("features", lambda report: report.features_table()),
        (
            "from disk",
            lambda report: [*report.from_disk_table(), report.on_paper_table()],
        ),
    ],
)
def test_a_section_holds_what_was_recorded(section, make, monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import report

    assert written(section) == "\n\n".join(make(report))


def test_the_tables_of_speed_hold_what_was_recorded(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import report

    tables, figure = written("speed").rsplit("\n\n", 1)
    assert tables == "\n\n".join(report.speed_parts())
    assert figure.startswith("![Seconds per sweep")


def test_the_table_of_growth_holds_what_was_recorded(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import report

    *tables, figure = written("growth").split("\n\n")
    assert tables == report.growth_table()
    assert figure.startswith("![Two panels")


def written(section):
    """Return what stands in a section of the page."""
    text = (BENCHMARKS / "README.md").read_text("utf-8")
    _, _, rest = text.partition(f"<!-- {section}: written by report.py -->\n")
    found, end, _ = rest.partition(f"\n<!-- end of {section} -->")
    assert end
    return found.strip()
