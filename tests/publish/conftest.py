"""What tests of chapters and of the built site share."""

import os
import pathlib
import re
import subprocess
import sys

import filelock
import nbformat
import numpy as np
import pytest

from sifting import store
from sifting.config import seeds as copies
from sifting.publish import asked, plans, runner, sources, trials
from tests.pages import watched

ROOT = pathlib.Path(__file__).resolve().parents[2]
BOOK = ["book/intro", *re.findall(r"- file: (book/\w+)", (ROOT / "_toc.yml").read_text(encoding="utf-8"))]
TRIALS = [f"book/{trials.page_of(name)}" for name in trials.drawn(ROOT / "book")]
PAGES = ["index.html", *(f"{name}.html" for name in BOOK + TRIALS), "search.html", "genindex.html"]


def pytest_generate_tests(metafunc):
    """Tests that take the `address` of a page are of every page."""
    if "address" in metafunc.fixturenames:
        metafunc.parametrize("address", PAGES, scope="module")


PARAMETERS = 'preset = "laptop"\nseeds = 3\ndevice = "auto"\noverrides = {}'
MADE = {
    "versions": {"torch": "1"},
    "device": "cpu",
    "wall_seconds": 1.0,
    "peak_memory_mb": 1,
    "date": "2026",
    "commit": "0",
}


@pytest.fixture
def book(tmp_path, monkeypatch, results):
    """A book with one chapter, toy, that plans one ticket a seed.

    write(cell, ...) replaces its cells, or writes another chapter.
    """
    for name in ("chapters", "book"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(sources, "CHAPTERS", tmp_path / "chapters")
    monkeypatch.setattr(runner, "BOOK", tmp_path / "book")
    monkeypatch.setattr(plans, "plan", lambda name, base, seeds: {("ticket", "main"): copies(base, seeds)})
    computed = []

    def compute(kind, configs, device="auto", fresh=False, cluster=None, engine="auto"):
        for config in configs:
            if fresh or not store.exists(kind, config):
                store.save(kind, config, {"x": np.arange(3.0) + len(computed)}, MADE)
                computed.append(config)
        return [store.load(kind, config) for config in configs]

    def write(*cells, parameters=PARAMETERS, name="toy"):
        cells = [
            nbformat.v4.new_code_cell(source, id=f"cell-{n}") for n, source in enumerate([parameters, *cells])
        ]
        cells[0].metadata.tags = ["parameters"]
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        nbformat.write(
            nbformat.v4.new_notebook(cells=cells, metadata=kernel), tmp_path / "chapters" / f"{name}.ipynb"
        )

    monkeypatch.setattr(store, "load_or_run", compute)
    write("print(preset, seeds, overrides)")
    compute.write, compute.computed, compute.page = write, computed, tmp_path / "book" / "toy.ipynb"
    compute.made = MADE
    return compute


@pytest.fixture(scope="session")
def addresses():
    """All pages, by their places in the site."""
    return PAGES


@pytest.fixture(scope="session")
def site(tmp_path_factory, common):
    """The site, brought up to date, once for all processes that test: its folder.

    At the smoke preset, with results of its own, where a chapter has none stored.
    """
    environment, words = dict(os.environ), ["-m", "sifting", "build"]
    if not all(asked.stored_seeds(n, asked.settle(n, None, None, None)[1]) for n in sources.chapters()):
        environment["SIFTING_RESULTS"] = str(tmp_path_factory.mktemp("results"))
        draw = "runner.run_chapters(sources.chapters(), preset='smoke', seeds=2)"
        guides = "runner.draw_guides(sources.guides())"
        words = ["-c", f"from sifting.publish import runner, sources; {draw}; {guides}; runner.site()"]
    built = common / "site-is-built"
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
        home = url.partition("/book/")[0] if "/book/" in url else url.rpartition("/")[0]
        page = watched(contexts[-1].new_page(), home)
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
