"""A page may only have a place for an explorable that can be put there: real builds with Sphinx."""

import os
import subprocess
import sys

import pytest
from outline import ROOT

PLACE = """.. raw:: html

   <div class="als-explorable" data-name="{}">text</div>

"""


@pytest.mark.parametrize(
    ("names", "refusal"),
    [
        (["recomender"], "index: nothing makes data for 'recomender'"),
        (["recommender", "recommender"], "index: a page has room for one recommender"),
    ],
)
def test_a_page_with_a_place_that_cannot_be_filled_is_refused(tmp_path, names, refusal):
    (tmp_path / "conf.py").write_text('extensions = ["explorables"]\n', "utf-8")
    text = "A page\n======\n\n" + "".join(PLACE.format(name) for name in names)
    (tmp_path / "index.rst").write_text(text, "utf-8")
    build = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", str(tmp_path), str(tmp_path / "built")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [ROOT / "book/_ext", ROOT]))},
        capture_output=True,
        text=True,
    )
    assert build.returncode != 0
    assert refusal in build.stderr
