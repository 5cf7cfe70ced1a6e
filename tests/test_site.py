"""The built site, opened in a real browser, over http and from disk.

The browser may reach nothing but this machine.
"""

import html.parser
import json
import os
import pathlib
import re
import subprocess
import sys
import urllib.parse

import nbformat
import pytest

from sifting.publish import pages, runner
from sifting.publish.catalog import FIGURES

ROOT = pathlib.Path(__file__).resolve().parents[1]
SITE = ROOT / "_build" / "html"
AXE = pathlib.Path(__file__).with_name("axe.min.js")
NAMES = [
    path.stem for path in sorted((ROOT / "book").glob("*.md"))
]  # the written pages; the rest is added below
NAMES = sorted(
    {*NAMES, "coverage", "claims", "provenance", "reference", "settings", "speed", *runner.chapters()}
)
PAGES = ["index.html", *(f"book/{name}.html" for name in NAMES), "search.html", "genindex.html"]
CHAPTERS = [f"book/{name}.html" for name in runner.chapters()]
OURS = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
}
PIXELS = """c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]
    .reduce((h, v) => (h * 31 + v) | 0, 0)"""


@pytest.fixture(scope="session", autouse=True)
def site(tmp_path_factory):
    """The site, brought up to date.

    At the smoke preset, with results of its own, where a chapter has none stored.
    """
    environment = dict(os.environ)
    if all(runner.stored_seeds(name, runner.settle(name, None, None, None)[1]) for name in runner.chapters()):
        words = ["-m", "sifting", "build"]
    else:
        environment["SIFTING_RESULTS"] = str(tmp_path_factory.mktemp("results"))
        draw = "runner.run_chapters(runner.chapters(), preset='smoke', seeds=2)"
        words = ["-c", f"from sifting.publish import runner; {draw}; runner.site()"]
    done = subprocess.run([sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return SITE


@pytest.fixture(scope="session")
def http_base(site, serve):
    return serve(SITE)


@pytest.fixture(scope="session", params=["http", "file"])
def base(request, site):
    return request.getfixturevalue("http_base") if request.param == "http" else SITE.as_uri()


@pytest.fixture
def open_page(browser):
    """open_page(url, **context options) -> page.

    Its `trouble` lists requests to elsewhere, failures and errors.
    """
    contexts = []

    def start(url: str, **options):
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
    page.wait_for_load_state("networkidle")
    views = "script[type='application/vnd.jupyter.widget-view+json']"
    drawn = ".anywidget-static[data-ready], .widget-static-note"
    page.wait_for_function(
        f"document.querySelectorAll({drawn!r}).length >= document.querySelectorAll({views!r}).length"
    )
    page.evaluate("window.MathJax?.startup?.promise")


# --- nothing from elsewhere, nothing broken


@pytest.mark.parametrize("path", PAGES)
def test_a_page_asks_nobody_and_reports_no_error(open_page, base, path):
    page = open_page(f"{base}/{path}")
    assert page.trouble == []
    assert page.title()


@pytest.mark.parametrize("name", runner.chapters())
def test_no_cell_of_a_chapter_warns(site, name):
    notebook = nbformat.read(ROOT / "book" / f"{name}.ipynb", 4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []


class Anatomy(html.parser.HTMLParser):
    """What a page links to and loads, its anchors, and its images without a description."""

    def __init__(self, text: str):
        super().__init__()
        self.links, self.loads, self.anchors, self.bare = [], [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors |= {attributes[key] for key in ("id", "name") if attributes.get(key)}
        if tag == "a" and attributes.get("href"):
            self.links.append(attributes["href"])
        if tag == "img" and attributes.get("alt") is None:
            self.bare.append(attributes.get("src", "")[:80])
        if tag in ("script", "img", "link", "iframe", "source"):
            self.loads += [value for key in ("src", "href") if (value := attributes.get(key))]


@pytest.fixture(scope="session")
def anatomies(site):
    return {path: Anatomy((SITE / path).read_text(encoding="utf-8")) for path in PAGES}


def test_every_page_of_the_site_is_tested(site):
    assert {
        path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html") if "_static" not in path.parts
    } == {*PAGES}


def test_internal_links_and_anchors_lead_somewhere(anatomies):
    broken = []
    for path, anatomy in anatomies.items():
        for link in anatomy.links:
            address, _, anchor = link.partition("#")
            if re.match(r"[a-z]+:|//", address):
                continue
            there = os.path.join(os.path.dirname(path), urllib.parse.unquote(address.partition("?")[0]))
            target = os.path.normpath(there) if address else path
            anchors = anatomies[target].anchors if target in anatomies else set()
            if not (SITE / target).exists() or anchor and urllib.parse.unquote(anchor) not in anchors:
                broken.append((path, link))
    assert broken == []


def test_images_have_descriptions_and_nothing_is_loaded_from_elsewhere(anatomies):
    for path, anatomy in anatomies.items():
        assert anatomy.bare == [], path
        assert [load for load in anatomy.loads if re.match(r"(https?:)?//", load)] == [], path


def test_every_figure_leads_to_its_function_and_its_results(site):
    for name in runner.chapters():
        text = (SITE / "book" / f"{name}.html").read_text(encoding="utf-8")
        for shown in pages.outputs(ROOT / "book"):
            if shown["chapter"] == name and "figure" in shown:
                assert f'id="{shown["figure"]}"' in text
                made = (SITE / "book" / "provenance.html").read_text(encoding="utf-8")
                assert all(f'id="{result}"' in made for result in shown["results"])
                assert f'id="{shown["function"]}"' in (SITE / "book" / "reference.html").read_text(
                    encoding="utf-8"
                )


# --- coverage


def test_coverage_lists_every_figure_and_agrees_with_the_notebooks(site):
    rows = json.loads((SITE / "coverage.json").read_text())
    assert [row["id"] for row in rows] == list(FIGURES) and len(rows) == 71
    drawn = {}
    for name in runner.chapters():
        cells = nbformat.read(ROOT / "book" / f"{name}.ipynb", 4).cells
        records = [
            output.metadata.get("sifting", {})
            for cell in cells
            for output in cell.get("outputs", [])
            if "metadata" in output
        ]
        mine = {record["figure"]: name for record in records if "figure" in record and not record.get("own")}
        drawn = mine | drawn  # the first chapter, where two share a figure
    assert {row["id"]: row["chapter"] for row in rows if row["status"] == "reproduced"} == drawn
    assert {row["status"] for row in rows} <= {"reproduced", "not yet"}
    assert all((row["verdict"] is None) == (row["status"] == "not yet") for row in rows)


# --- reading


def test_search_finds_a_word(open_page, base):
    page = open_page(f"{base}/search.html?q=pruning")
    page.wait_for_selector("#search-results li a")
    assert page.locator("#search-results li").count() >= 2
    assert page.trouble == []


def test_search_opens_from_the_keyboard(open_page, base):
    page = open_page(f"{base}/book/intro.html")
    page.keyboard.press("Control+k")
    page.keyboard.type("lottery")
    page.keyboard.press("Enter")
    page.wait_for_selector("#search-results li a")
    assert page.trouble == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_a_phone_shows_a_page_without_scrolling_sideways(open_page, http_base, path, scheme):
    phone = {
        "viewport": {"width": 360, "height": 740},
        "color_scheme": scheme,
        "has_touch": True,
        "is_mobile": True,
    }
    page = open_page(f"{http_base}/{path}", **phone)
    wide = """() => [...document.querySelectorAll('main *')]
        .filter(e => e.getBoundingClientRect().right > innerWidth + 1
            && !e.closest('.scroll, pre, .highlight, .math, [class*=table], mjx-container'))
        .map(e => e.outerHTML.slice(0, 120)).slice(0, 3)"""
    assert page.evaluate("document.documentElement.scrollWidth") <= 360, page.evaluate(wide)
    assert page.trouble == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_serious(open_page, http_base, path, scheme):
    page = open_page(f"{http_base}/{path}", color_scheme=scheme)
    alike = "document.querySelectorAll('main .function').forEach((block, n) => n % 10 && block.remove())"
    page.evaluate(alike)  # a thousand functions look the same: every tenth is enough
    page.evaluate("document.querySelectorAll('main details').forEach(d => { d.open = true })")
    page.wait_for_timeout(500)  # what unfolds fades in
    page.add_script_tag(path=AXE)
    found = page.evaluate("options => axe.run(document, options)", OURS)["violations"]
    serious = [
        f"{v['id']}: {n['html'][:140]}"
        for v in found
        if v["impact"] in ("serious", "critical")
        for n in v["nodes"]
    ]
    assert serious == []


def test_the_theme_follows_the_reader(open_page, http_base):
    shade = "getComputedStyle(document.body).backgroundColor"
    shades = {
        s: open_page(f"{http_base}/book/intro.html", color_scheme=s).evaluate(shade)
        for s in ("light", "dark")
    }
    assert shades["light"] != shades["dark"]


# --- the explorer


@pytest.mark.parametrize("path", CHAPTERS)
def test_the_keyboard_reaches_the_explorer_and_moves_it(open_page, base, path):
    page = open_page(f"{base}/{path}")
    slider = page.locator(".anywidget-static input[type=range]").first
    if not slider.count():
        pytest.skip("this chapter has no explorer")
    for _ in range(400):
        page.keyboard.press("Tab")
        if slider.evaluate("node => node === document.activeElement"):
            break
    else:
        pytest.fail("Tab never reaches the slider")
    canvas = page.locator(".anywidget-static canvas").first
    page.keyboard.press("Home")
    status = page.locator(".anywidget-static .mx-status").first
    first = (canvas.evaluate(PIXELS), status.inner_text()), slider.input_value()
    page.keyboard.press("End")
    page.wait_for_timeout(200)
    last = (canvas.evaluate(PIXELS), status.inner_text()), slider.input_value()
    assert first[0] != last[0] and first[1] != last[1]
    assert page.trouble == []
