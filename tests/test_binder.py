"""The files that Binder reads are valid; nothing is built."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_repo2docker_accepts_the_repository():
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug"]
    command += ["--user-id", "1000", "--user-name", "jovyan", str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    dockerfile = done.stdout + done.stderr
    assert "requirements.txt" in dockerfile
    assert "./postBuild" in dockerfile
    assert "3.11" in dockerfile


def test_post_build_can_be_run():
    assert os.access(ROOT / "postBuild", os.X_OK)


def test_requirements_are_pinned_and_end_in_the_package():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    packages = [line for line in lines if line and not line.startswith("#")]
    assert packages[-1] == "-e ."
    assert all("==" in line for line in packages[:-1])
    assert not any("://" in line for line in packages)
