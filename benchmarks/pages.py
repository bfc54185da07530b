"""Seconds until a page of the book has painted its largest part, and until its demo has answered.

    make book && .venv/bin/python benchmarks/pages.py

Chromium shows the built book from this machine, in the window of a phone, with its processor slowed
down to a quarter. Every visit is a first one: nothing is in the cache. report.py makes a table.
"""

import functools
import http.server
import shutil
import statistics
import threading
from pathlib import Path

import yaml
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent
HTML = ROOT / "_build" / "html"
SLOWER, PHONE, VISITS = 4, {"width": 412, "height": 915}, 3
WITH_DEMO = "book/intro"
# In this page's own clock: from the navigation to the largest paint so far, once it has settled.
LARGEST_PAINT = """() => new Promise((resolve) => {
    new PerformanceObserver((list) => resolve(list.getEntries().at(-1).startTime / 1000))
        .observe({ type: "largest-contentful-paint", buffered: true });
})"""
# From a key to the next frame that is painted after it, as the browser itself reports it.
LISTEN = """() => {
    globalThis.answers = [];
    new PerformanceObserver((list) => answers.push(...list.getEntries()))
        .observe({ type: "event", durationThreshold: 16, buffered: true });
}"""
ANSWERS = "() => answers.filter((e) => e.name === 'keydown').map((e) => e.duration / 1000)"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        """Say nothing on the terminal."""


def slow_page(browser):
    """Open an empty page of a new visitor with a slow phone."""
    context = browser.new_context(viewport=PHONE, device_scale_factor=2, is_mobile=True)
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    return page


def largest_paint(browser, address):
    seconds = []
    for _ in range(VISITS):
        page = slow_page(browser)
        page.goto(address)
        page.wait_for_load_state("networkidle")
        seconds.append(page.evaluate(LARGEST_PAINT))
        page.context.close()
    return statistics.median(seconds)


def answers_of_the_demo(browser, address):
    """Seconds per change of a rating, with one to five movies rated."""
    page = slow_page(browser)
    page.goto(address)
    page.wait_for_load_state("networkidle")
    seconds = []
    for title in ("Alien (1979)", "Heat (1995)", "Toy Story (1995)", "Up (2009)", "Big (1988)"):
        page.get_by_role("combobox", name="Find a movie").fill(title)
        page.get_by_role("option", name=title).first.click()
        slider = page.locator(".als-ratings").get_by_role("slider", name=title)
        slider.press("Home")
        page.evaluate(LISTEN)
        for _ in range(8):
            slider.press("ArrowRight")
            page.wait_for_timeout(200)
        seconds += page.evaluate(ANSWERS)
    page.context.close()
    return seconds


def main():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    pages = [
        toc["root"],
        *sorted(
            str(p.relative_to(HTML).with_suffix("")) for p in (HTML / "lessons").glob("*.html")
        ),
    ]
    handler = functools.partial(Quiet, directory=HTML)
    with (
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server,
        sync_playwright() as playwright,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        home = f"http://127.0.0.1:{server.server_port}"
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        print(browser.version)
        for page in pages:
            print(page, largest_paint(browser, f"{home}/{page}.html"))
        print(answers_of_the_demo(browser, f"{home}/{WITH_DEMO}.html"))
        browser.close()
        server.shutdown()


if __name__ == "__main__":
    main()
