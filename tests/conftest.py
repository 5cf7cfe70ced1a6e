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
import time

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: small networks lose time to a second thread
signal.signal(
    signal.SIGINT, signal.default_int_handler
)  # background jobs of a shell ignore it, and what they start
ROOT = pathlib.Path(__file__).resolve().parents[1]
# files that take longest: where tests run side by side they begin first, so that no worker waits for the last
LONGEST = (
    "publish/test_site_pages.py",  # builds the site, while others do the next
    "publish/test_chapters.py",
    "store/test_store.py",
    "store/test_killing.py",
    "store/test_cluster.py",
    "publish/test_runner.py",
    "publish/test_site_touch.py",
    "publish/test_site.py",
)
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


def pytest_xdist_auto_num_workers():
    """One process more than there are cores, four at most: tests wait for browsers and for processes."""
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(), 3) + 1


def pytest_collection_modifyitems(items):
    """The longest files first."""
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get("/".join(item.path.parts[-2:]), len(place)))


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium; for one module, since its event loop must not meet papermill's."""
    from playwright.sync_api import sync_playwright

    from sifting.publish.web.pdf import BROWSERS

    names = filter(None, (os.environ.get("CHROMIUM"), *BROWSERS))
    path = next((found for name in names if (found := shutil.which(name))), None)
    if path is None:  # none installed: fetch Playwright's own, once
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


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


@pytest.fixture(scope="session")
def common(tmp_path_factory):
    """A folder that all processes which test side by side have in common."""
    here = tmp_path_factory.getbasetemp()
    return here.parent if "PYTEST_XDIST_WORKER" in os.environ else here


@pytest.fixture(scope="session", autouse=True)
def cache(common):
    """What is compiled, and what is measured of the machine, is so once for all tests."""
    os.environ["SIFTING_CACHE"] = str(common / "cache")


@pytest.fixture(autouse=True)
def forgotten():
    """No test goes on with a dense network that another has trained."""
    yield
    if "sifting.cache" in sys.modules:
        sys.modules["sifting.cache"].remembered.clear()


@pytest.fixture(scope="session")
def wait_for():
    """wait_for(condition) -> what it returns once it holds."""

    def wait(condition, seconds=100):
        deadline = time.monotonic() + seconds
        while not (met := condition()):
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.02)
        return met

    return wait


@pytest.fixture
def results(tmp_path, monkeypatch):
    """An empty folder of stored results, computed in this process where no workers are asked for."""
    monkeypatch.setenv("SIFTING_RESULTS", str(tmp_path / "results"))
    monkeypatch.setattr("sifting.store.schedule.cores", lambda: 1)
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
