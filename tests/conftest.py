"""What all tests share: results go to a folder of the test, never to the book's."""

import contextlib
import functools
import http.server
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading

import filelock
import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: small networks lose time to a second thread
signal.signal(
    signal.SIGINT, signal.default_int_handler
)  # background jobs of a shell ignore it, and what they start
ROOT = pathlib.Path(__file__).resolve().parents[1]
# files that take longest: where tests run side by side they begin first, so that no worker waits for the last
LONGEST = (
    "test_site.py",
    "test_site_touch.py",
    "test_chapters.py",
    "test_store.py",
    "test_killing.py",
    "test_cluster.py",
    "test_runner.py",
)
BROWSERS = (
    os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)  # fmt: skip
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


def pytest_collection_modifyitems(items):
    """The longest files first."""
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.name, len(place)))


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium; for one module, since its event loop must not meet papermill's."""
    from playwright.sync_api import sync_playwright

    path = next((found for name in BROWSERS if name and (found := shutil.which(name))), None)
    if path is None:  # none installed: fetch Playwright's own, once
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The site, brought up to date, once for all processes that test: its folder.

    At the smoke preset, with results of its own, where a chapter has none stored.
    """
    from sifting.publish import runner

    environment, words = dict(os.environ), ["-m", "sifting", "build"]
    if not all(runner.stored_seeds(n, runner.settle(n, None, None, None)[1]) for n in runner.chapters()):
        environment["SIFTING_RESULTS"] = str(tmp_path_factory.mktemp("results"))
        draw = "runner.run_chapters(runner.chapters(), preset='smoke', seeds=2)"
        words = ["-c", f"from sifting.publish import runner; {draw}; runner.site()"]
    here = tmp_path_factory.getbasetemp()
    built = (here.parent if "PYTEST_XDIST_WORKER" in os.environ else here) / "site-is-built"
    with filelock.FileLock(f"{built}.lock"):
        if not built.exists():
            command = [sys.executable, *words]
            done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            built.touch()
    return runner.SITE


@pytest.fixture(scope="session")
def http_base(site, serve):
    return serve(site)


@pytest.fixture(scope="module")
def open_page(browser):
    """open_page(url, **context options) -> page.

    Its `trouble` lists requests to elsewhere, failures and errors.
    """
    contexts = []

    def start(url: str, **options):
        while contexts:
            contexts.pop().close()
        contexts.append(browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | options))
        page = contexts[-1].new_page()
        page.trouble = trouble = []
        home = url.partition("/book/")[0] if "/book/" in url else url.rpartition("/")[0]
        page.on(
            "request",
            lambda r: r.url.startswith((home, "blob:", "data:")) or trouble.append(f"outside: {r.url}"),
        )
        page.on("requestfailed", lambda r: trouble.append(f"failed: {r.url}"))
        page.on("response", lambda r: trouble.append(f"{r.status}: {r.url}") if r.status >= 400 else None)
        page.on("pageerror", lambda e: trouble.append(f"error: {e}"))
        page.on("console", lambda m: trouble.append(f"console: {m.text}") if m.type == "error" else None)
        page.goto(url)
        if url.endswith("/index.html"):  # it only leads on
            page.wait_for_url("**/intro.html")
        settle(page)
        return page

    yield start
    for context in contexts:
        context.close()


def settle(page) -> None:
    """Wait until the page has loaded, its widgets are drawn and its mathematics is set."""
    page.wait_for_load_state("load")
    views = "script[type='application/vnd.jupyter.widget-view+json']"
    drawn = ".anywidget-static[data-ready], .widget-static-note"
    page.wait_for_function(
        f"document.querySelectorAll({drawn!r}).length >= document.querySelectorAll({views!r}).length"
    )
    page.evaluate("window.MathJax?.startup?.promise")


class Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def serve():
    """serve(folder) -> the address at which this machine serves it, until the session ends."""
    with contextlib.ExitStack() as servers:

        def start(folder: pathlib.Path) -> str:
            handler = functools.partial(Silent, directory=folder)
            server = servers.enter_context(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler))
            servers.callback(server.shutdown)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            return f"http://127.0.0.1:{server.server_port}"

        yield start


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory):
    """What is measured of the machine is measured once for all tests."""
    os.environ["SIFTING_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(autouse=True)
def forgotten():
    """No test goes on with a dense network that another has trained."""
    yield
    if "sifting.cache" in sys.modules:
        sys.modules["sifting.cache"].remembered.clear()


@pytest.fixture
def results(tmp_path, monkeypatch):
    """An empty folder of stored results."""
    monkeypatch.setenv("SIFTING_RESULTS", str(tmp_path / "results"))
    return tmp_path / "results"


@pytest.fixture
def python(results):
    """Start Python processes on the project, with the same folder of results; none outlives its test."""
    started = []

    def start(code: str, **keywords) -> subprocess.Popen:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            env=environment,
            cwd=ROOT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **keywords,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
