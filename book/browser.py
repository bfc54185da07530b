"""Chromium and a silent web server, for what looks at the built book: tests, PDF and benchmarks."""

from __future__ import annotations

import functools
import http.server
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the Chromium, or the Chrome, of this machine, without a window.

    Raises
    ------
    ImportError
        If playwright or the program is missing.
    """
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        raise ImportError("there is no chromium on the PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def serve(folder: Path, base: str = "") -> Iterator[str]:
    """Serve a folder on this machine, at a free port, and hand over its address.

    Parameters
    ----------
    folder : Path
    base : str
        Where on the server it seems to lie, such as ``"/course"``.
    """
    handler = functools.partial(_Silent, base, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}{base}"
        server.shutdown()


class _Silent(http.server.SimpleHTTPRequestHandler):
    def __init__(self, base, *args, **options):
        self.base = base
        super().__init__(*args, **options)

    def translate_path(self, path):
        return super().translate_path(path.removeprefix(self.base))

    def log_message(self, *args):
        """Say nothing on the terminal."""
