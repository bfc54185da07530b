"""Grade the notebooks that students handed in.

    python grade.py submissions --csv marks.csv

This file travels in the grading bundle beside ``checks.py``, the checks of the exercise. Each
notebook is run from top to bottom in a fresh kernel and an empty folder, with this Python; a cell
that stops with an error does not stop the rest, nor does one that never ends. Then the kernel is
asked for its answers, which is all that it has a say in (see `exercise_checks.remote`). They are
judged by the checks of the bundle, in another process, about other numbers than the student saw
(``--seed``). Every notebook gets a row in the table, and what it has started ends with it.

A notebook is a program that somebody else wrote. Grade in a container or under an account that has
nothing to lose.
"""

import argparse
import contextlib
import csv
import ctypes
import hashlib
import hmac
import json
import os
import queue
import re
import secrets
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import psutil

HERE = Path(__file__).resolve()


def main(arguments: list[str]) -> None:
    """Grade all notebooks, print a line for each, and write the table of marks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("notebooks", nargs="+", type=Path, help="notebooks, or folders of them")
    add("--csv", type=Path, default=Path("marks.csv"), help="the table to be written")
    add("--points", help="what each task is worth, such as 2,1,1,3,3; 1 if not said")
    add("--out-of", type=float, help="what all tasks together are worth")
    add("--fill", type=Path, help="a table of a learning platform, to enter points in")
    add("--column", help="the column of it that gets the points, if not Grade")
    add("--jobs", type=int, default=1, help="how many notebooks run at a time")
    add("--timeout", type=int, default=600, help="seconds for a notebook")
    add("--step-timeout", type=int, default=120, help="seconds for a cell or a check")
    add("--seed", type=int, default=1, help="another one asks about other numbers")
    add("--checks", type=Path, default=HERE.with_name("checks.py"))
    options = parser.parse_args(arguments)
    try:
        commit = commit_of_bundle(HERE.with_name("bundle.json"))
        checks = options.checks.read_text("utf-8")
        worth = points_of_tasks(checks, options.points, options.out_of)
        out_of = _rounded(sum(worth.values()))
        # All are read before one of them runs, which might write into the others.
        notebooks = {
            name: _text(path) for name, path in named(options.notebooks).items()
        }
        table = people = None
        if options.fill:
            from gradebook import Gradebook  # judges do without it, and cannot see it

            table = Gradebook(options.fill, options.column, out_of)
            people = table.find(notebooks)
    except ValueError as error:
        parser.error(str(error))

    def graded(name: str) -> dict[str, str | float]:
        who = people[name] if table else {}
        verdicts, remarks = {}, []
        limits = {"timeout": options.timeout, "step_timeout": options.step_timeout}
        try:
            verdicts, *remarks = grade(notebooks[name], checks, options.seed, limits)
            told = {
                f"task {n}": hint or state for n, (state, _, hint) in verdicts.items()
            }
            points = sum(worth[n] for n in verdicts if verdicts[n][0] == "passed")
        except Exception as error:  # whatever it is, the others want their marks
            told, points = {}, 0
            remarks.append(repr(error))
        if verdicts and commit and commit not in notebooks[name]:
            remarks.append("not made from the notebook in the bundle")
        if who and not any(who.values()):
            remarks.append(f"whose it is does not follow from {options.fill.name}")
        row = {"submission": name, **who, "points": _rounded(points), "out of": out_of}
        row |= {f"task {number}": "" for number in worth} | told
        return row | {"remark": "; ".join(filter(None, remarks))}

    rows = []
    for row in in_parallel(graded, notebooks, options.jobs):
        rows.append(row)
        print(", ".join(f"{key}: {value}" for key, value in row.items() if value != ""))
    with options.csv.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(
            {key: _as_text(value) for key, value in row.items()} for row in rows
        )
    if table:
        points = {row["submission"]: row["points"] for row in rows}
        print(table.write(points, options.csv))


def commit_of_bundle(record: Path) -> str | None:
    """Return which version of the package the bundle's notebook installs, if it says so.

    Raises
    ------
    ValueError
        If this Python has another version of the package than the bundle was made with.
    """
    if (
        not record.exists()
    ):  # this file was taken from the repository, not from a bundle
        return None
    bundle = json.loads(record.read_text("utf-8"))
    packages = [find_spec(name) for name in ("alslib", "exercise_checks")]
    if None in packages:
        raise ValueError(f"{sys.executable} has no alslib: give another Python")
    folders = [Path(package.origin).parent for package in packages]
    if fingerprint(*folders) != bundle["fingerprint"]:
        raise ValueError(
            f"the bundle was made with another alslib than the one in {folders[0]}, so a right "
            f"answer might fail. Install the bundle's: pip install '{bundle['install']}'. Or make "
            "the bundle anew with the one that is installed"
        )
    return bundle["commit"]


def fingerprint(*folders: Path) -> str:
    """Return a number of the code in some folders, but for the checks of single exercises."""
    content = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            if not re.match(r"_\d", path.name):
                text = path.read_text("utf-8")  # whatever its lines end with
                content.update(
                    f"{path.relative_to(folder).as_posix()}\n{text}".encode()
                )
    return content.hexdigest()


def points_of_tasks(
    checks: str, points: str | None, out_of: float | None
) -> dict[str, float]:
    """Return what each task is worth, by its number."""
    numbers = re.findall(r"^def check_(\d+)\(", checks, re.MULTILINE)
    worth = (
        [float(part) for part in points.split(",")] if points else [1] * len(numbers)
    )
    if len(worth) != len(numbers):
        raise ValueError(f"--points has {len(worth)} numbers for {len(numbers)} tasks")
    if min(worth, default=0) < 0 or not sum(worth) > 0:
        raise ValueError(
            "no task can be worth less than nothing, nor all of them nothing"
        )
    scale = 1 if out_of is None else out_of / sum(worth)
    return {number: value * scale for number, value in zip(numbers, worth, strict=True)}


def named(paths: Iterable[Path]) -> dict[str, Path]:
    """Return notebooks by the names of their submissions.

    A submission is called as its file, or as its folder if each has a folder of its own. If there
    are several folders, and one holds more than one notebook, it takes both to tell them apart.
    """
    files = {}
    for path in paths:
        inside = sorted(path.rglob("*.ipynb")) if path.is_dir() else [path]
        files |= {
            file.resolve(): file
            for file in inside
            if ".ipynb_checkpoints" not in file.parts
        }
    if not files:
        raise ValueError("there are no notebooks")
    top = Path(os.path.commonpath([file.parent for file in files]))
    inside = [file.relative_to(top) for file in files]
    full = [file.with_suffix("").as_posix() for file in inside]
    folders = [file.parent.as_posix() for file in inside]
    short = [
        name if folder == "." else folder
        for name, folder in zip(full, folders, strict=True)
    ]
    for names in (short, full):
        if len(set(names)) == len(files):
            return dict(zip(names, files.values(), strict=True))
    return dict(zip([file.as_posix() for file in inside], files.values(), strict=True))


def in_parallel(function: Callable, items: Iterable, jobs: int) -> Iterator:
    """Yield what a function says about each item, in their order; several are dealt with at a time."""
    with ThreadPoolExecutor(jobs) as pool:
        try:
            yield from pool.map(function, items)
        except BaseException:  # Control-C, above all
            pool.shutdown(wait=False, cancel_futures=True)
            end_all_below(psutil.Process())
            raise


def _text(path: Path) -> str:
    """Return what a file holds. One that cannot be read is as good as empty: no notebook."""
    try:
        return path.read_text("utf-8", errors="replace")
    except OSError:
        return ""


def _rounded(points: float) -> float:
    """Return points as they are written: 3, 2.5 or 1.33."""
    points = round(points, 2)
    return int(points) if points == int(points) else points


def _as_text(value: str | float) -> str | float:
    """Return what a spreadsheet shows and does not calculate: students choose names and hints."""
    return (
        f"'{value}"
        if str(value).startswith(("=", "+", "-", "@", "\t", "\r"))
        else value
    )


# The guards that are at work. A process without one belongs to a guard that a notebook has killed.
_guards: set[int] = set()
_lock = threading.Lock()


def grade(
    notebook: str, checks: str, seed: int, limits: dict[str, float]
) -> tuple[dict[str, tuple[str, str, str]], str]:
    """Have one notebook run and judged, in processes of its own.

    Parameters
    ----------
    notebook, checks : str
        What the two files hold.
    seed : int
        For the numbers that the checks ask about.
    limits : dict
        Seconds after which something is stopped: ``"timeout"`` all of it, ``"step_timeout"`` a cell
        or what is being judged.

    Returns
    -------
    verdicts : dict
        State, message and hint of each task that was judged, by its number.
    remark : str
        What has gone wrong, and where; empty if nothing has.
    """
    key = secrets.token_hex(32)
    order = {"notebook": notebook, "checks": checks, "seed": seed, "key": key}
    order["step_timeout"] = limits["step_timeout"]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    late = False
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        with _lock:
            guard = subprocess.Popen(
                _command("--guard"),
                cwd=folder,
                encoding="utf-8",
                errors="replace",
                **pipes,
            )
            _guards.add(guard.pid)
        try:
            said, errors = guard.communicate(json.dumps(order), limits["timeout"])
        except subprocess.TimeoutExpired:
            late = True
            end_all_below(psutil.Process(guard.pid))
            guard.kill()
            said, errors = guard.communicate()
        finally:
            with _lock:
                _guards.discard(guard.pid)
                end_all_below(psutil.Process(), _guards)
    verdicts, at, remarks, ended = {}, "", [], False
    for line in said.splitlines():
        signature, _, body = line.partition(" ")
        if signature != _signature(key, body):
            continue  # somebody else has written into the pipe
        finding = json.loads(body)
        at, ended = finding.get("at", at), "end" in finding
        if "remark" in finding:
            remarks.append(finding["remark"])
        if "task" in finding:
            verdicts[str(finding["task"])] = tuple(finding["verdict"])
    if not ended:
        why = (errors.strip().splitlines() or ["it was killed"])[-1]
        why = (
            f"more than {limits['timeout']} seconds"
            if late
            else f"grading stopped: {why}"
        )
        remarks.append(f"{why}, at {at}" if at else why)
    return verdicts, "; ".join(remarks)


def _command(part: str) -> list[str]:
    """Return the command that plays a part, and imports nothing from where it stands."""
    return [sys.executable, "-I", str(HERE), part]


def _signature(key: str, body: str) -> str:
    return hmac.digest(key.encode(), body.encode(), "sha256").hex()


def end_all_below(process: psutil.Process, spared: Iterable[int] = ()) -> None:
    """End the processes that one has started, and what these have, until there are none."""
    for _ in range(500):  # hundredths of a second
        living = []
        for child in process.children():
            if child.pid in spared:
                continue
            with contextlib.suppress(psutil.Error):  # it has just gone by itself
                for one in [*child.children(recursive=True), child]:
                    living.append(one)
                    if one.status() == psutil.STATUS_ZOMBIE:
                        one.wait(0)
                    else:
                        one.kill()
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


def guard_one() -> None:
    """Have a notebook judged by a process of this one, and end what is left when it has ended.

    What the notebook has started comes to this process when it has lost its parents. So it is known
    whose it is, however many notebooks are graded at a time.
    """
    subprocess.run(_command("--judge"))
    end_all_below(psutil.Process())


# What follows is done in the process that runs and judges one notebook, and imports what it needs.


class Ended(Exception):
    """A notebook cannot be graded any further, for this reason."""


class Lost(Ended):
    """A kernel is gone, for this reason. Another may do the rest."""


class Kernel:
    """A kernel in an empty folder and an empty home, of whose output nothing is heard.

    Parameters
    ----------
    limit : float
        Seconds for each of its steps.
    """

    def __init__(self, limit: float):
        import pooch
        from jupyter_client import BlockingKernelClient
        from jupyter_client.connect import write_connection_file
        from jupyter_client.launcher import launch_kernel

        self.limit, self._is_late = limit, False
        folder = Path(tempfile.mkdtemp(dir=Path.cwd()))
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

    @contextlib.contextmanager
    def step(self, at: str) -> Iterator[None]:
        """Do something with the kernel, which is `Lost` if it dies on it or takes too long."""
        from exercise_checks.remote import ConnectionLost

        alarm = threading.Timer(self.limit, self._stop)
        alarm.start()
        is_lost = False
        try:
            yield
        except (ConnectionLost, Lost):
            is_lost = True
        finally:
            alarm.cancel()
            alarm.join()
        if self._is_late or is_lost:
            end_all_below(psutil.Process())
            # Or it would wait, when it is forgotten, until somebody reads what was sent last.
            self.client.context.destroy(linger=0)
            why = (
                f"more than {self.limit} seconds"
                if self._is_late
                else "the kernel died"
            )
            raise Lost(f"{why}, at {at}")

    def _stop(self) -> None:
        self._is_late = True
        end_all_below(psutil.Process())

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
                raise Lost("the kernel died") from None
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
        except Ended as reason:
            tell(remark=str(reason))
        finally:
            end_all_below(psutil.Process())
        tell(end=True)


def run_and_judge(order: dict, tell: Callable[..., None]) -> None:
    """Run a notebook, judge the answers that are left in its kernel, and tell of every step.

    A cell at which a kernel is lost is left out when all the others run again, in another kernel. A
    task at which one is lost gets no verdict.
    """
    import nbformat

    try:
        notebook = nbformat.reads(order["notebook"], as_version=4)
        cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    except Exception as error:
        raise Ended(f"not a notebook: {error}") from None
    kernel, answers = Kernel(order["step_timeout"]), None
    # All that is ours is imported now, while nothing of the notebook has run.
    from exercise_checks import checks_in, judge

    module = ModuleType("grading_checks")
    exec(compile(order["checks"], "checks.py", "exec"), vars(module))
    warnings.simplefilter("ignore")
    todo = {f"code cell {i}": cell for i, cell in enumerate(cells, 1)}
    for number, check in checks_in(module).items():
        if answers is None:
            kernel, answers = run_all(todo, kernel, tell)
        tell(at=f"task {number}")
        try:
            with kernel.step(f"task {number}"):
                verdict = judge(check, answers, order["seed"])
        except Lost as reason:
            tell(remark=str(reason))
            kernel, answers = Kernel(kernel.limit), None
        else:
            tell(task=number, verdict=verdict)


def run_all(todo: dict[str, str], kernel: Kernel, tell: Callable[..., None]):
    """Run the cells, without those at which a kernel is lost; return the last one and its answers."""
    tell(at="its start")
    kernel.run("")
    for at, cell in todo.items():
        tell(at=at)
        try:
            with kernel.step(at):
                kernel.run(cell)
        except Lost as reason:
            tell(remark=str(reason))
            del todo[at]
            return run_all(todo, Kernel(kernel.limit), tell)
    tell(at="the end of the notebook")
    try:
        return kernel, kernel.answers()
    except Ended as reason:
        raise Ended(f"{reason}, at the end of the notebook") from None


if __name__ == "__main__":
    parts = {"--guard": guard_one, "--judge": judge_one}
    shut_the_door()
    if sys.argv[1:] and sys.argv[1] in parts:
        parts[sys.argv[1]]()
    else:
        main(sys.argv[1:])
