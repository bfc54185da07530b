"""What nbval is told where `notebooks.py` runs it, as a plugin of pytest."""

import secrets
import tempfile
from pathlib import Path

import nbval.kernel
from jupyter_client import KernelManager
from nbval.plugin import IPyNbCell
from notebooks import CEILING
from refresh import DRAWN, look_alike
from traitlets import default

compare_outputs = IPyNbCell.compare_outputs


class SocketKernelManager(KernelManager):
    """Talks to a kernel through files of its own.

    Ports are chosen before the kernel takes them, and where several kernels start at a time another
    may be quicker: then the kernel dies.
    """

    _folder = tempfile.TemporaryDirectory(prefix="kernels-")

    @default("transport")
    def _by_files(self):
        return "ipc"

    @default("connection_file")
    def _of_its_own(self):
        return str(Path(self._folder.name, f"{secrets.token_hex(4)}.json"))


def compare(cell, fresh, committed, skip_compare=None):
    """Compare outputs, of which those that are drawn from rounded numbers need only look alike.

    Where a number lies between two roundings, the processor decides which of them is written.
    """
    for one, other in zip(fresh, committed, strict=False):
        html, old = (output.get("data", {}).get("text/html", "") for output in (one, other))
        if html.startswith(DRAWN) and old.startswith(DRAWN) and look_alike(html, old):
            one.data["text/html"] = old
    return compare_outputs(cell, fresh, committed, skip_compare)


def pytest_configure():
    """Give every notebook such a kernel, and its outputs such a comparison."""
    nbval.kernel.KernelManager = SocketKernelManager
    IPyNbCell.compare_outputs = compare


def pytest_collection_modifyitems(items):
    """Wait as long for output as for a cell."""
    for item in items:
        item.output_timeout = CEILING
