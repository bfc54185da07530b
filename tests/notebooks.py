"""Run notebooks and compare every output with the committed one, on this machine or on others.

    python tests/notebooks.py                              # all lessons and solutions
    python tests/notebooks.py lessons/04*.ipynb            # these
    python tests/notebooks.py --changed                    # those that git sees changed
    python tests/notebooks.py --lax exercises/*.ipynb      # only that every cell runs
    python tests/notebooks.py --on x86-64-v2 shaken        # while pretending to be other machines
    python tests/notebooks.py --on all                     # this is `make portable`

The work is done by nbval, which fails a cell whose text differs, which prints more or less than is
committed, or which writes to stderr. A table at the end counts the cells of each machine.

A processor is pretended by what numba, NumPy and OpenBLAS can be told not to use: vector width and
fused multiply-add move the last bits of sums, and NumPy's unstable sorts leave equal keys in an
order that depends on both. `shaken` goes further than any processor that can be had here, so that
what holds there holds with a margin; `shaken.py` says what it does.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

ROOT = Path(__file__).parent.parent
LESSONS = sorted(ROOT.glob("lessons/*.ipynb"))
# The capstone, too, shows its outputs.
SOLUTIONS = [
    *sorted(ROOT.glob("exercises/solutions/*.ipynb")),
    ROOT / "exercises" / "12_capstone.ipynb",
]
# Seconds that nbval waits for a cell, its output or a kernel: for those that hang, not for slow
# machines.
CEILING = 3600


def without(*features: str) -> str:
    """Name those of the features that NumPy could use here, to be left unused."""
    return " ".join(feature for feature in features if has(feature))


def has(feature: str) -> bool:
    """Tell whether this processor has a feature, by NumPy's name for it."""
    return np._core._multiarray_umath.__cpu_features__.get(feature, False)


# What each machine needs of the one that pretends to be it, and what it is told. To numba a name
# means what is quick there, and features, added to the name's own, what can be done there at all.
MACHINES = {
    "own": (None, {}),
    "x86-64-v2": (  # neither AVX nor fused multiply-add
        "SSE42",
        {
            "NUMBA_CPU_NAME": "x86-64-v2",
            "NUMBA_CPU_FEATURES": "",
            "NPY_DISABLE_CPU_FEATURES": without("X86_V3", "X86_V4"),
            "OPENBLAS_CORETYPE": "Nehalem",
        },
    ),
    "x86-64-v3": (
        "AVX2",
        {
            "NUMBA_CPU_NAME": "x86-64-v3",
            "NUMBA_CPU_FEATURES": "",
            "NPY_DISABLE_CPU_FEATURES": without("X86_V4"),
            "OPENBLAS_CORETYPE": "Haswell",
        },
    ),
    "x86-64-v4": (
        "AVX512F",
        {
            "NUMBA_CPU_NAME": "x86-64-v4",
            "NUMBA_CPU_FEATURES": "-prefer-256-bit",  # registers of 512 bits wherever they fit
            "OPENBLAS_CORETYPE": "SkylakeX",
        },
    ),
    "1-thread": (None, {"NUMBA_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}),
    "4-threads": (None, {"NUMBA_NUM_THREADS": "4", "OPENBLAS_NUM_THREADS": "4"}),
    "shaken": (None, {}),
}


def run(
    notebooks: list[Path], machine: str = "own", lax: bool = False, modules: Path | None = None
) -> dict[str, list[bool]]:
    """Run notebooks and print what pytest says.

    Parameters
    ----------
    notebooks : list of Path
    machine : str
        One of `MACHINES`.
    lax : bool
        Compare no output, only run every cell.
    modules : Path, optional
        A folder whose modules come before the installed ones.

    Returns
    -------
    dict
        By notebook, as pytest names it, whether each of its code cells did as it should.
    """
    _, told = MACHINES[machine]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        path = [str(part) for part in (modules, ROOT / "tests", ROOT / "lessons") if part]
        environment = os.environ | told | {"PYTHONPATH": os.pathsep.join(path)}
        # A bar appears when a fit takes long, which depends on the machine.
        environment["TQDM_DISABLE"] = "1"
        if machine == "shaken":
            environment["IPYTHONDIR"] = folder
            startup = Path(folder, "profile_default", "startup")
            startup.mkdir(parents=True)
            # No name is left behind that a notebook could bind to something else.
            startup.joinpath("start.py").write_text("__import__('shaken').shake_everything()")
            # The workers of a cluster are processes of their own, and the same machine.
            environment["DASK_DISTRIBUTED__WORKER__PRELOAD"] = "shaken"
        command = [sys.executable, "-m", "pytest", "-q", f"--rootdir={ROOT}"]
        command += ["-p", "nbval_setup", "-p", "no:cacheprovider"]
        # No notebook is a property or has an assertion of pytest's: three seconds less to start.
        command += ["-p", "no:hypothesispytest", "--assert=plain"]
        command += ["--nbval-lax" if lax else "--nbval", "--nbval-current-env"]
        command += [f"--nbval-cell-timeout={CEILING}", f"--nbval-kernel-startup-timeout={CEILING}"]
        if len(notebooks) > 1:
            command += ["-n", "2", "--dist", "loadfile"]
        command += [f"--junitxml={report}", *map(str, notebooks)]
        done = subprocess.run(command, env=environment)
        if done.returncode not in (0, 1):
            raise RuntimeError(f"pytest ended with {done.returncode}")
        cells = {}
        for case in ElementTree.parse(report).iter("testcase"):
            right = case.find("failure") is None and case.find("error") is None
            cells.setdefault(case.get("classname"), []).append(right)
    return cells


def main() -> None:
    """Run what is asked for and print a table."""
    parser = argparse.ArgumentParser(description="Run notebooks and compare their outputs.")
    parser.add_argument("notebooks", nargs="*", type=Path, help="all lessons and solutions if none")
    parser.add_argument("--on", nargs="+", choices=[*MACHINES, "all"], default=["own"])
    parser.add_argument("--changed", action="store_true", help="only what git sees changed")
    parser.add_argument("--lax", action="store_true", help="compare nothing, only run")
    options = parser.parse_args()
    notebooks = options.notebooks or [*LESSONS, *SOLUTIONS]
    if options.changed:
        git = ["git", "ls-files", "--modified", "--others", "--exclude-standard"]
        seen = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        notebooks = [path for path in notebooks if str(path.relative_to(ROOT)) in seen.split("\n")]
    if not notebooks:
        return
    lines, differ = [], 0
    for machine in MACHINES if "all" in options.on else options.on:
        needed, _ = MACHINES[machine]
        if needed and not has(needed):
            lines.append(f"{machine:<10} cannot be pretended here, for want of {needed}")
            continue
        cells = run(notebooks, machine, options.lax)
        wrong = {name: right.count(False) for name, right in cells.items() if False in right}
        lines.append(
            f"{machine:<10}{sum(map(len, cells.values())):>6} cells,"
            f"{sum(wrong.values()):>4} not as committed  {wrong or ''}"
        )
        differ += len(wrong)
    print(*lines, sep="\n")
    sys.exit(bool(differ))


if __name__ == "__main__":
    main()
