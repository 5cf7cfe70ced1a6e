"""JupyterLab, as `make live` starts it, in a real browser: it looks like the book, and does not change it."""

import os
import re
import shutil
import socket
import subprocess
import sys

import pytest

from sifting import store
from sifting.publish import asked, plans, sources

ROOT = sources.ROOT
CHAPTER = "statistics"  # the one that takes least to compute
SAID = re.compile(r"((http://127\.0\.0\.1:\d+)/lab\S+)\s")


def state():
    """What git says of the checkout, and the bytes of all chapters."""
    said = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True).stdout
    return said, {path: path.read_bytes() for path in sources.CHAPTERS.glob("*.ipynb")}


@pytest.fixture(scope="module")
def lab(tmp_path_factory, wait_for):
    """JupyterLab on copies in a folder of its own: folder, where to go, its address, and what it says."""
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(
        ROOT / "book", home / "book", ignore=shutil.ignore_patterns("results", "*.ipynb", "figures")
    )
    (home / "book" / "results").mkdir()
    _, base, seeds = asked.settle(CHAPTER, None, None, None)
    for kind, config in plans.planned(CHAPTER, base, seeds):
        if store.exists(kind, config):
            shutil.copy(store.path(kind, config), home / "book" / "results")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folders = {
        "SIFTING_SITE": home,
        "SIFTING_RESULTS": home / "book" / "results",
        "JUPYTER_DATA_DIR": home / "data",
    }
    folders |= {"JUPYTER_CONFIG_DIR": home / "config", "JUPYTER_RUNTIME_DIR": home / "runtime"}
    environment = os.environ | {name: str(path) for name, path in folders.items()} | {"BROWSER": "true"}
    log = home / "log"
    before = state()
    with open(log, "wb") as file:
        words = [sys.executable, "-m", "sifting", "live", f"port={port}"]
        process = subprocess.Popen(words, cwd=ROOT, env=environment, stdout=file, stderr=file)
    try:
        said = wait_for(lambda: SAID.search(log.read_text()) or process.poll() is not None)
        assert said is not True, log.read_text()
        assert said[2].endswith(f":{port}")
        yield home, *said.groups(), log
    finally:
        process.terminate()
        process.wait()
    assert state() == before, "live mode changed the checkout"


@pytest.fixture(scope="module")
def page(lab, browser):
    """JupyterLab in a browser, once it shows the first page."""
    _, where, address, _ = lab
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.asked = asked = []
    page.on("request", lambda r: r.url.startswith((address, "blob:", "data:")) or asked.append(r.url))
    page.goto(where)
    page.wait_for_selector(".jp-MarkdownViewer h1")
    yield page
    context.close()


def color(page, selector, what):
    return page.eval_on_selector(selector, f"node => getComputedStyle(node).{what}")


def idle(page):
    """Wait until the kernel is there, and has done what it was asked."""
    page.wait_for_selector(".jp-StatusBar-TextItem:has-text('| Idle')")


def run_all(page):
    idle(page)
    page.click(".lm-MenuBar-itemLabel:text-is('Run')")
    page.click(".lm-Menu-item[data-command='runmenu:run-all']")


# each test goes on where the one before ended, as a reader does


def test_the_first_page_lists_the_chapters_and_leads_to_them(page, lab):
    links = page.eval_on_selector_all(".jp-MarkdownViewer li a", "all => all.map(a => a.textContent)")
    assert {sources.title(name) for name in sources.chapters()} <= {*links}
    assert not page.query_selector(".jp-toast-button, .Toastify__toast"), "it asks nothing"
    page.click(f".jp-MarkdownViewer a:text-is('{sources.title(CHAPTER)}')")
    page.wait_for_selector(".jp-Notebook .live-start")
    assert (
        page.eval_on_selector(".jp-Notebook h1", "node => getComputedStyle(node, '::after').content") == '""'
    )
    assert "Redman et al., 2024" in page.inner_text(".jp-Notebook .jp-MarkdownCell")
    assert "cite:" not in page.inner_text(".jp-Notebook")


def test_links_lead_to_the_site_or_say_that_it_is_not_built(page, lab):
    _, _, address, _ = lab
    link = page.query_selector(".jp-Notebook .jp-MarkdownCell a[href^='/static/book/']")
    with page.context.expect_page() as other:
        link.click()
    other.value.wait_for_load_state()
    assert other.value.url.startswith(f"{address}/static/book/")
    assert "not built yet" in other.value.inner_text("body") and "make" in other.value.inner_text("body")
    other.value.close()


def test_all_cells_run_and_statements_have_their_colors_in_both_themes(page):
    run_all(page)
    page.wait_for_selector(".jp-Notebook .mx-knobs")
    page.wait_for_selector(".jp-Notebook .claim")
    idle(page)
    page.wait_for_selector(".jp-Notebook .jp-OutputArea-output figure")
    assert page.locator("[data-mime-type='application/vnd.jupyter.stderr']").all_inner_texts() == []
    seen = [(".claim .verdict", "color"), (".interval .bar", "stroke"), (".interval .region", "fill")]
    light = [color(page, *one) for one in seen]
    page.click(".lm-MenuBar-itemLabel:text-is('Settings')")
    page.hover(".lm-Menu-itemLabel:text-is('Theme')")
    page.click(".lm-Menu-itemLabel:text-is('JupyterLab Dark')")
    page.wait_for_function("document.body.dataset.jpThemeLight == 'false'")
    dark = [color(page, *one) for one in seen]
    assert all(one != other for one, other in zip(light, dark))
    page.eval_on_selector(".jp-Notebook .claim summary", "node => node.click()")
    assert page.eval_on_selector(".jp-Notebook .claim dl", "node => node.offsetHeight") > 0


def test_a_wrong_setting_is_one_line_and_takes_figures_away(page):
    drawn = sources.path(CHAPTER).read_text(encoding="utf-8").count("page.show(")
    page.wait_for_function(f"document.querySelectorAll('.jp-Notebook figure').length >= {drawn}")
    cell = page.locator(".jp-Notebook .jp-CodeCell", has_text="cuda or mps").first
    opens = page.locator(".jp-Notebook .jp-CodeCell", has_text="from sifting import").first
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.type('preset = "smok"; seeds = 1; device = "auto"; overrides = {}')
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("Shift+Enter")
    error = page.wait_for_selector(".jp-Notebook [data-mime-type='application/vnd.jupyter.stderr']")
    assert (
        error.inner_text().strip()
        == "unknown preset 'smok' (did you mean smoke?); choose from desk, gpu, laptop, paper, smoke"
    )
    assert opens.count() == 1
    page.wait_for_function("document.querySelectorAll('.jp-Notebook figure').length == 0")
    assert page.query_selector(".jp-Notebook .earlier")


def test_the_panel_computes_stops_and_shows_both(page, lab):
    home, *_ = lab
    page.locator(".mx-knobs").first.scroll_into_view_if_needed()
    assert page.is_disabled(".mx-knobs .mx-main")
    page.check(".mx-knobs input[value=smoke]")
    page.fill(".mx-knobs input[type=number]", "1")
    image_size = ".mx-field:has(code:text-is('image_size')) input"
    page.fill(image_size, "2")
    page.wait_for_selector(".mx-knobs .mx-wrong:has-text('image_size must be')")
    page.fill(image_size, "10")
    page.wait_for_selector(".mx-knobs .mx-status:has-text('to compute')")
    assert (
        page.inner_text(".mx-command") == f'make chapter={CHAPTER} preset=smoke seeds=1 set="image_size=10"'
    )
    page.click(".mx-knobs .mx-main")
    page.click(".mx-knobs button:text-is('Stop')")
    page.wait_for_selector(".mx-doing:has-text('stopped')")
    page.click(".mx-knobs .mx-main")
    page.wait_for_selector(".mx-results figure, .mx-results table", timeout=300_000)
    assert page.query_selector(".mx-results summary:has-text('verdicts differ')")
    assert page.query_selector(".mx-results figure summary:has-text('in the book')")
    page.wait_for_selector(".mx-knobs summary:has-text('Stored trials of this chapter: 1')")
    page.wait_for_selector(".mx-knobs .mx-status:has-text('nothing to compute')")
    assert list((home / "book" / "results" / "trials").glob("*.npz"))
    assert list((home / "book").glob("trial-*.ipynb"))


def test_nobody_was_asked_and_changes_are_kept(page, lab):
    home, _, _, log = lab
    page.keyboard.press("Escape")
    page.click(".jp-Notebook h1")
    page.keyboard.press("Control+S")
    [copy] = home.glob(f"live/*-{CHAPTER}.ipynb")
    page.wait_for_function("!document.querySelector('.lm-TabBar-tab.jp-mod-dirty')")
    assert "smok" in copy.read_text(encoding="utf-8")
    assert page.asked == []
    assert "Traceback" not in log.read_text()
