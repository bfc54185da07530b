"""Grade the notebooks that students handed in.

    python grade.py submissions/*.ipynb --csv marks.csv

This file travels in the grading bundle beside ``checks.py``, the checks of the exercise. Each
notebook is run from top to bottom in a fresh kernel and an empty folder, with this Python; a cell
that stops with an error does not stop the rest. Then the kernel is asked for its answers, which is
all that it has a say in (see `exercise_checks.remote`). They are judged by the checks of the bundle,
in another process, about other numbers than the student saw (``--seed``). Every notebook gets a row
in the table, and what it has started ends with it.

A notebook is a program that somebody else wrote. Grade in a container or under an account that has
nothing to lose.
"""

import argparse
import contextlib
import csv
import ctypes
import hmac
import json
import os
import queue
import secrets
import select
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import psutil

HERE = Path(__file__).resolve()


def main(arguments: list[str]) -> None:
    """Grade all notebooks, print a line for each, and write the table of marks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="+", type=Path)
    parser.add_argument("--checks", type=Path, default=HERE.with_name("checks.py"))
    parser.add_argument("--csv", type=Path, default=Path("marks.csv"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--timeout", type=int, default=600, help="seconds for a notebook"
    )
    options = parser.parse_args(arguments)
    checks = options.checks.read_text("utf-8")
    # All are read before one of them runs, which might write into the others.
    notebooks = [(path.stem, _text(path)) for path in options.notebooks]
    rows = []
    for student, notebook in notebooks:
        row = {"submission": student, "passed": 0, "remark": ""}
        try:
            verdicts, row["remark"] = grade(
                notebook, checks, options.seed, options.timeout
            )
            for number, (state, _, hint) in verdicts.items():
                row[f"task {number}"] = hint or state
                row["passed"] += state == "passed"
        except Exception as error:  # whatever it is, the others want their marks
            row["remark"] = repr(error)
        rows.append(row)
        print(", ".join(f"{key}: {value}" for key, value in row.items() if value != ""))
    fields = list(dict.fromkeys(key for row in rows for key in row))
    with options.csv.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, sorted(fields, key=lambda key: key == "remark"))
        writer.writeheader()
        writer.writerows(
            {key: _as_text(value) for key, value in row.items()} for row in rows
        )


def _text(path: Path) -> str:
    """Return what a file holds. One that cannot be read is as good as empty: no notebook."""
    try:
        return path.read_text("utf-8", errors="replace")
    except OSError:
        return ""


def _as_text(value: str | int) -> str | int:
    """Return what a spreadsheet shows and does not calculate: students choose names and hints."""
    return (
        f"'{value}"
        if str(value).startswith(("=", "+", "-", "@", "\t", "\r"))
        else value
    )


def grade(
    notebook: str, checks: str, seed: int, timeout: float
) -> tuple[dict[str, tuple[str, str, str]], str]:
    """Have one notebook run and judged, in processes of its own.

    Parameters
    ----------
    notebook, checks : str
        What the two files hold.
    seed : int
        For the numbers that the checks ask about.
    timeout : float
        Seconds after which the notebook, or what is being judged, is stopped.

    Returns
    -------
    verdicts : dict
        State, message and hint of each task that was judged, by its number.
    remark : str
        Why the others were not; empty if there are none.
    """
    key = secrets.token_hex(32)
    order = {"notebook": notebook, "checks": checks, "seed": seed, "key": key}
    # -I: it imports nothing from where it stands or from what the environment names.
    command = [sys.executable, "-I", str(HERE), "--judge"]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    me, late = psutil.Process(), False
    others = frozenset(me.children(recursive=True))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        judge = subprocess.Popen(
            command, cwd=folder, encoding="utf-8", errors="replace", **pipes
        )
        try:
            said, errors = judge.communicate(json.dumps(order), timeout)
        except subprocess.TimeoutExpired:
            late = True
            end_all_below(psutil.Process(judge.pid))
            judge.kill()
            said, errors = judge.communicate()
        finally:
            end_all_below(me, others)
    verdicts, at, remark = {}, "", None
    for line in said.splitlines():
        signature, _, body = line.partition(" ")
        if signature != _signature(key, body):
            continue  # somebody else has written into the pipe
        finding = json.loads(body)
        at, remark = finding.get("at", at), finding.get("remark", remark)
        if "task" in finding:
            verdicts[finding["task"]] = tuple(finding["verdict"])
    if remark is None:
        why = (errors.strip().splitlines() or ["it was killed"])[-1]
        remark = f"more than {timeout} seconds" if late else f"grading stopped: {why}"
    if remark and at:
        remark += f", at {at}"
    return verdicts, remark


def _signature(key: str, body: str) -> str:
    return hmac.digest(key.encode(), body.encode(), "sha256").hex()


def end_all_below(process: psutil.Process, but: frozenset = frozenset()) -> None:
    """End the processes that one has started, and what these have, until there are none."""
    for _ in range(500):  # hundredths of a second
        living = []
        for child in set(process.children(recursive=True)) - but:
            with contextlib.suppress(psutil.Error):  # it has just gone by itself
                if child.status() == psutil.STATUS_ZOMBIE:
                    child.wait(0)
                else:
                    child.kill()
                    living.append(child)
        if not living:
            return
        time.sleep(0.01)


def shut_the_door() -> None:
    """Keep the notebooks' processes below this one and out of it, where Linux can do that.

    An orphan becomes a child of this process, wherever it has moved to. And no other process of the
    same account may look into the memory of this one, or into its pipes.
    """
    if sys.platform == "linux":
        set_child_subreaper, set_dumpable = 36, 4
        ctypes.CDLL(None).prctl(set_child_subreaper, 1, 0, 0, 0)
        ctypes.CDLL(None).prctl(set_dumpable, 0, 0, 0, 0)


# What follows is done in the process that runs and judges one notebook, and imports what it needs.


class Ended(Exception):
    """A notebook has not come to its end, for this reason."""


class Kernel:
    """A kernel in an empty folder and an empty home, of whose output nothing is heard."""

    def __init__(self, folder: Path):
        import pooch
        from jupyter_client import BlockingKernelClient
        from jupyter_client.connect import write_connection_file
        from jupyter_client.launcher import launch_kernel

        for name in ("home", "work"):
            (folder / name).mkdir()
        file, _ = write_connection_file(
            str(folder / "kernel.json"),
            ip="127.0.0.1",
            key=secrets.token_hex().encode(),
        )
        # What a notebook leaves in its home is not found by the next one.
        homes = dict.fromkeys(
            ("HOME", "USERPROFILE", "IPYTHONDIR"), str(folder / "home")
        )
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", file]
        self.process = launch_kernel(
            [*command, "--IPKernelApp.log_level=40"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"ALSLIB_CACHE": str(pooch.os_cache("alslib")), **os.environ, **homes},
            cwd=str(folder / "work"),
        )
        self.client = BlockingKernelClient(connection_file=file)
        self.client.load_connection_file()
        self.client.start_channels(iopub=False, stdin=False, control=False, hb=False)

    def run(self, code: str) -> None:
        """Run a cell to its end, be it an error."""
        sent = self._send(code)
        while not self._is_done(sent, 1):
            pass

    def answers(self):
        """Return the answers, for `judge` to ask for."""
        from exercise_checks.remote import Answers

        token = secrets.token_hex().encode()
        with socket.create_server(("127.0.0.1", 0)) as door:
            port = door.getsockname()[1]
            sent = self._send(
                "import exercise_checks.remote as _remote\n"
                f"_remote.serve({port}, {token.decode()!r})"
            )
            while True:
                if select.select([door], [], [], 0.1)[0]:
                    connection, _ = door.accept()
                    stream = connection.makefile("rwb")
                    if stream.read(len(token)) == token:
                        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                        return Answers(stream)
                if self._is_done(sent, 0.1):
                    raise Ended("the kernel does not tell its answers")

    def _send(self, code: str) -> str:
        return self.client.execute(code, allow_stdin=False, stop_on_error=False)

    def _is_done(self, sent: str, seconds: float) -> bool:
        try:
            reply = self.client.get_shell_msg(timeout=seconds)
        except queue.Empty:
            if self.process.poll() is not None:
                raise Ended("the kernel died") from None
            return False
        return reply["parent_header"].get("msg_id") == sent


def judge_one() -> None:
    """Run and judge the notebook that comes in, and tell what was found, line by line."""
    order = json.load(sys.stdin)

    def tell(**finding) -> None:
        body = json.dumps(finding)
        print(_signature(order["key"], body), body, file=sys.__stdout__, flush=True)

    with contextlib.redirect_stdout(sys.stderr):
        try:
            run_and_judge(order, tell)
            tell(remark="")
        except Ended as reason:
            tell(remark=str(reason))
        finally:
            end_all_below(psutil.Process())


def run_and_judge(order: dict, tell: Callable[..., None]) -> None:
    """Run a notebook, judge the answers that are left in its kernel, and tell of every step."""
    import nbformat

    try:
        notebook = nbformat.reads(order["notebook"], as_version=4)
        cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    except Exception as error:
        raise Ended(f"not a notebook: {error}") from None
    kernel = Kernel(Path.cwd())
    # All that is ours is imported now, while nothing of the notebook has run.
    from exercise_checks import checks_in, judge
    from exercise_checks.remote import ConnectionLost

    module = ModuleType("grading_checks")
    exec(compile(order["checks"], "checks.py", "exec"), vars(module))
    warnings.simplefilter("ignore")
    for i, cell in enumerate(cells, 1):
        tell(at=f"code cell {i}")
        kernel.run(cell)
    tell(at="the end of the notebook")
    answers = kernel.answers()
    try:
        for number, check in checks_in(module).items():
            tell(at=f"task {number}")
            tell(task=str(number), verdict=judge(check, answers, order["seed"]))
    except ConnectionLost:
        raise Ended("the kernel died") from None


if __name__ == "__main__":
    shut_the_door()
    if sys.argv[1:] == ["--judge"]:
        judge_one()
    else:
        main(sys.argv[1:])
