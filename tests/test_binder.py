"""The files that Binder reads are valid; nothing is built."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LEVEL_3 = "avx avx2 bmi1 bmi2 f16c fma abm movbe xsave"


def test_repo2docker_accepts_the_repository():
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug"]
    command += ["--user-id", "1000", "--user-name", "jovyan", str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    dockerfile = done.stdout + done.stderr
    assert "requirements.txt" in dockerfile
    assert "./postBuild" in dockerfile
    assert "3.11" in dockerfile
    assert "R2D_ENTRYPOINT" in dockerfile and "/start" in dockerfile


@pytest.mark.parametrize("script", ["postBuild", "start"])
def test_scripts_can_be_run(script):
    assert os.access(ROOT / script, os.X_OK)


# One cache for all nodes


def started(command, path, **environment):
    """Run a command as Binder does, on a processor whose flags a `grep` in `path` tells."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    clean["PATH"] = f"{path}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [ROOT / "start", *command], env=clean | environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def pretend(folder, flags):
    """Put a `grep` into a folder that finds these flags, whatever the processor has."""
    (folder / "grep").write_text(f"#!/bin/sh\necho 'flags\t\t: fpu {flags} sse'\n")
    (folder / "grep").chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (LEVEL_3, True),
        (f"{LEVEL_3} avx512f avx512dq", True),
        (LEVEL_3.replace("avx2", "avx2_vnni"), False),
        (LEVEL_3.replace("fma ", ""), False),
        ("", False),
    ],
)
def test_a_processor_is_taken_for_level_3_if_it_has_all_of_that(flags, named, tmp_path):
    environment = started(["env"], pretend(tmp_path, flags)).splitlines()
    told = [line for line in environment if line.startswith("NUMBA_")]
    assert sorted(told) == (["NUMBA_CPU_FEATURES=", "NUMBA_CPU_NAME=x86-64-v3"] if named else [])


def test_arguments_pass_through_as_they_are(tmp_path):
    command = [sys.executable, "-c", "import sys; print(sys.argv[1:])", "a b", "*", ""]
    assert started(command, pretend(tmp_path, "")) == "['a b', '*', '']\n"


# Two kernels, one of them parallel, on a host of another name and with other features.
ON_A_HOST = """
import json, sys
import llvmlite.binding as llvm

llvm.get_host_cpu_name = lambda: sys.argv[1]
told = llvm.get_host_cpu_features()
told["avx512f"] = sys.argv[1] == "skylake-avx512"
llvm.get_host_cpu_features = lambda: told

import numpy as np
from alslib import _kernels

indptr = _kernels.row_pointers(np.zeros(3, np.int32), 1)
data, bias = np.ones(3, np.uint8), np.zeros(1)
_kernels.bias_half_step(
    indptr, np.zeros(3, np.int32), data, 0.5, 0.5, 0.0, bias, 1.0, 1.0, np.zeros(1)
)
used = [_kernels.row_pointers, _kernels.bias_half_step]
print(json.dumps([sum(kernel.stats.cache_misses.values()) for kernel in used]))
"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="other processors have other levels")
@pytest.mark.parametrize(("flags", "compiled_again"), [(LEVEL_3, [0, 0]), ("", [1, 1])])
def test_what_one_node_has_compiled_the_others_use(flags, compiled_again, tmp_path):
    """The second case shows that the first one proves something: left alone, each compiles."""
    path, cache = pretend(tmp_path, flags), {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}

    def on(host):
        return json.loads(started([sys.executable, "-c", ON_A_HOST, host], path, **cache))

    assert on("haswell") == [1, 1]
    assert on("skylake-avx512") == compiled_again


def test_requirements_are_pinned_and_end_in_the_package():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    packages = [line for line in lines if line and not line.startswith("#")]
    assert packages[-1] == "-e ."
    assert all("==" in line for line in packages[:-1])
    assert not any("://" in line for line in packages)
