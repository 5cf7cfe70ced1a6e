"""How fast the laboratory is in headless Chromium, and how quickly its page answers meanwhile."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from sifting.publish import landing, runner, sources

NAMES = os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"
SETTINGS = "images=photographs"  # as they stand in an address: the laboratory's own
LIMIT = 1800  # seconds that a run may take
# waits beside the training, again and again, for a timer of 5 ms: what it is late by, a key would wait for
WATCH = """window.longest = 0; (function watch() {
    const begun = performance.now();
    setTimeout(() => { longest = Math.max(longest, performance.now() - begun - 5); watch(); }, 5);
})()"""
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Laboratory</title>
<div class="small-lab"></div><script defer src="lab.js"></script></html>"""


def laboratory(seconds: float) -> list[dict]:
    """One whole run of the laboratory with its own settings, on the page as the book has it.

    seconds : from the press of the button to the end, with its measurements
    answer  : longest time that the page kept something waiting meanwhile, in milliseconds
    memory  : most that the process of the page had, with its worker, in MB

    `seconds`, the argument, is not heeded: it is one run, whatever it takes.
    """
    from playwright.sync_api import sync_playwright  # a browser that only this row needs

    runner.draw_guides(["lab"])
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = pathlib.Path(name)
        landing.write(folder / "lab.js", runner.BOOK, small=False)
        shutil.copy(sources.ROOT / "book" / "_static" / "anywidget-static.js", folder)
        (folder / "index.html").write_text(PAGE, encoding="utf-8")
        path = next((found for some in NAMES if some and (found := shutil.which(some))), None)
        with playwright.chromium.launch(executable_path=path, args=["--no-sandbox"]) as one:
            page = one.new_page()
            page.goto(f"{(folder / 'index.html').as_uri()}#lab?{SETTINGS}")
            page.wait_for_selector(".mx-board :text('to train on')")
            page.evaluate(WATCH)
            begun, most = time.perf_counter(), 0.0
            page.get_by_role("button", name="Start", exact=True).click()
            while not page.inner_text(".mx-told").startswith("Done"):
                most = max(most, _memory(one))
                if time.perf_counter() - begun > LIMIT:
                    raise TimeoutError(f"the laboratory takes more than {LIMIT} s")
                time.sleep(0.2)
            row = {"seconds": time.perf_counter() - begun, "answer": page.evaluate("longest"), "memory": most}
    return [{column: round(value, 3) for column, value in row.items()}]


def _memory(browser) -> float:
    """What the largest process of a page holds, in MB."""
    told = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    pages = [str(process["id"]) for process in told if process["type"] == "renderer"]
    command = ["ps", "-o", "rss=", "-p", ",".join(pages)]  # in kB
    told = subprocess.run(command, capture_output=True, encoding="utf-8").stdout
    return max(map(int, told.split()), default=0) / 1000
