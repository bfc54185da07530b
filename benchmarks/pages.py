"""Seconds until a page of the book has painted its largest part, and until its demo has answered.

    make book && .venv/bin/python benchmarks/pages.py && .bench/bin/python benchmarks/report.py

Chromium shows the built book from this machine, in the window of a phone, with its processor slowed
down to a quarter. Every visit is a first one: nothing is in the cache.
"""

import functools
import http.server
import json
import shutil
import statistics
import threading
from datetime import date
from pathlib import Path

from playwright.sync_api import sync_playwright
from speed import machine

ROOT = Path(__file__).parent.parent
HTML = ROOT / "_build" / "html"
RESULTS = Path(__file__).parent / "results" / "pages.json"
SLOWER, PHONE, VISITS = 4, {"width": 412, "height": 915}, 3
WITH_DEMO = "book/intro"
TITLES = ("Alien (1979)", "Heat (1995)", "Toy Story (1995)", "Big (1988)", "Fargo (1996)")
# In the page's own clock: from the navigation to the last of its largest paints so far.
LARGEST_PAINT = """() => new Promise((resolve) => {
    new PerformanceObserver((list) => resolve(list.getEntries().at(-1).startTime / 1000))
        .observe({ type: "largest-contentful-paint", buffered: true });
})"""
# Stars are moved a dozen times. The answer is there when the new list is laid out; it is seen when
# the next frame has been painted.
ANSWERS = """async () => {
    const slider = document.querySelector(".als-ratings input[type=range]");
    const frame = () => new Promise((resolve) => requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = resolve;
        port2.postMessage(null);
    }));
    const answers = [];
    for (let i = 0; i < 12; i++) {
        await new Promise((resolve) => setTimeout(resolve, 150));
        const start = performance.now();
        slider.value = 0.5 + ((3 * i) % 10) / 2;
        slider.dispatchEvent(new Event("input", { bubbles: true }));
        document.body.getBoundingClientRect();
        const answered = performance.now();
        await frame();
        answers.push([answered - start, performance.now() - start].map((ms) => ms / 1000));
    }
    return answers;
}"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        """Say nothing on the terminal."""


def visit(browser, address):
    """Open a page as somebody new does who has a slow phone."""
    context = browser.new_context(viewport=PHONE, device_scale_factor=2, is_mobile=True)
    page = context.new_page()
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.goto(address)
    page.wait_for_load_state("networkidle")
    return page


def largest_paint(browser, address):
    seconds = []
    for _ in range(VISITS):
        page = visit(browser, address)
        seconds.append(page.evaluate(LARGEST_PAINT))
        page.context.close()
    return seconds


def answers_of_the_demo(browser, address):
    """Return (answered, painted) for each move of the stars, with one to five movies rated."""
    page, answers = visit(browser, address), []
    for title in TITLES:
        page.get_by_role("combobox", name="Find a movie").fill(title)
        page.get_by_role("option", name=title).first.click()
        answers += page.evaluate(ANSWERS)
    page.context.close()
    return answers


def main():
    names = sorted(str(path.relative_to(HTML).with_suffix("")) for path in HTML.rglob("0*.html"))
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
        results = {
            "date": str(date.today()),
            "machine": machine(),
            "browser": f"Chromium {browser.version}",
            "slower": SLOWER,
            "largest_paint": {
                name: largest_paint(browser, f"{home}/{name}.html") for name in [WITH_DEMO, *names]
            },
            "answers": answers_of_the_demo(browser, f"{home}/{WITH_DEMO}.html"),
        }
        browser.close()
        server.shutdown()
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    paints = {name: statistics.median(s) for name, s in results["largest_paint"].items()}
    print({name: round(seconds, 2) for name, seconds in paints.items()})
    for what, place in {"laid out": 0, "painted": 1}.items():
        seconds = [answer[place] for answer in results["answers"]]
        print(f"{what}: median {statistics.median(seconds):.3f} s, longest {max(seconds):.3f} s")


if __name__ == "__main__":
    main()
