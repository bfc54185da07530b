"""What nbval is told where `notebooks.py` runs it, as a plugin of pytest."""

import secrets
import tempfile
from pathlib import Path

import nbval.kernel
from jupyter_client import KernelManager
from notebooks import CEILING
from traitlets import default


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


def pytest_configure():
    """Give every notebook such a kernel."""
    nbval.kernel.KernelManager = SocketKernelManager


def pytest_collection_modifyitems(items):
    """Wait as long for output as for a cell."""
    for item in items:
        item.output_timeout = CEILING
