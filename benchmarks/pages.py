"""Seconds until a page of the book has painted its largest part, and until its demo has answered.

    make book && .venv/bin/python benchmarks/pages.py && .bench/bin/python benchmarks/report.py

Chromium shows the built book from this machine, in the window of a phone, with its processor slowed
down to a quarter. Every visit is a first one: nothing is in the cache. A page is opened once: until
its scripts have run takes far longer than until it is painted, and each kind has several pages.
"""

import json
import statistics
import sys
from datetime import date
from pathlib import Path

from speed import machine

ROOT = Path(__file__).parent.parent
sys.path.append(str(ROOT / "book"))
from browser import chromium, serve  # noqa: E402

HTML = ROOT / "_build" / "html"
RESULTS = Path(__file__).parent / "results" / "pages.json"
SLOWER, PHONE = 4, {"width": 412, "height": 915}
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


def visit(browser, address):
    """Open a page as somebody new does on a slow phone, and wait until its scripts have run."""
    context = browser.new_context(viewport=PHONE, device_scale_factor=2, is_mobile=True)
    page = context.new_page()
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.goto(address, wait_until="domcontentloaded")
    return page


def largest_paint(browser, address):
    page = visit(browser, address)
    seconds = page.evaluate(LARGEST_PAINT)
    page.context.close()
    return seconds


def answers_of_the_demo(browser, address):
    """Return (answered, painted) for each move of the stars, with one to five movies rated."""
    page, answers = visit(browser, address), []
    page.wait_for_load_state("networkidle")
    for title in TITLES:
        page.get_by_role("combobox", name="Find a movie").fill(title)
        page.get_by_role("option", name=title).first.click()
        answers += page.evaluate(ANSWERS)
    page.context.close()
    return answers


def main():
    names = sorted(str(path.relative_to(HTML).with_suffix("")) for path in HTML.rglob("0*.html"))
    with serve(HTML) as home, chromium() as browser:
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
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    print({name: round(seconds, 2) for name, seconds in results["largest_paint"].items()})
    for what, place in {"laid out": 0, "painted": 1}.items():
        seconds = [answer[place] for answer in results["answers"]]
        print(f"{what}: median {statistics.median(seconds):.3f} s, longest {max(seconds):.3f} s")


if __name__ == "__main__":
    main()
