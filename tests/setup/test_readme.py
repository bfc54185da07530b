"""What the README promises, done."""

import re
from pathlib import Path

README = (Path(__file__).parents[2] / "README.md").read_text()


def test_the_two_commands_come_first():
    title, block = README.split("\n\n")[:2]
    assert title.startswith("# ")
    assert re.findall(r"^make \w+", block, re.MULTILINE) == ["make book", "make test"]


def test_the_example_runs(tmp_path, monkeypatch, capsys):
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "README.md", "exec"), {})
    errors, *tables = capsys.readouterr().out.splitlines()
    assert len([float(number) for number in errors.split()]) == 2
    assert len([line for line in tables if line.startswith("1 ")]) == 2  # two lists of one item
    assert (tmp_path / "model.npz").exists()


def test_every_file_named_exists():
    for target in re.findall(r"\]\(([^)]+)\)", README):
        if "://" not in target:
            assert (Path(__file__).parents[2] / target).exists(), target
