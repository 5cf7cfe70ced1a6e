"""The built site, opened in a real browser, over http and from disk.

The browser may reach nothing but this machine.
"""

import html.parser
import json
import os
import pathlib
import re
import urllib.parse

import nbformat
import pytest

from sifting.publish import pages, plans, runner, sources
from sifting.publish.catalog import FIGURES
from sifting.publish.pages import tried

ROOT = pathlib.Path(__file__).resolve().parents[2]
SITE = runner.SITE


# --- what is in the pages


@pytest.mark.parametrize("name", [*sources.chapters(), *sources.guides()])
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
def anatomies(site, addresses):
    return {path: Anatomy((SITE / path).read_text(encoding="utf-8")) for path in addresses}


def test_every_page_of_the_site_is_tested(site, addresses):
    assert {
        path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html") if "_static" not in path.parts
    } == {*addresses}


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


def test_every_figure_leads_to_its_function_and_its_results(anatomies):
    made, functions = (anatomies[f"book/{name}.html"].anchors for name in ("provenance", "reference"))
    for shown in pages.outputs(ROOT / "book"):
        if "figure" in shown and shown["chapter"] in sources.chapters():
            assert shown["figure"] in anatomies[f"book/{shown['chapter']}.html"].anchors
            assert {*shown["results"]} <= made and shown["function"] in functions


# --- coverage


def test_coverage_lists_every_figure_and_agrees_with_the_notebooks(site):
    rows = json.loads((SITE / "coverage.json").read_text())
    assert [row["id"] for row in rows] == list(FIGURES) and len(rows) == 71
    drawn = {}
    for name in sources.chapters():
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
    assert all((row["verdicts"] is None) == (row["status"] == "not yet") for row in rows)


# --- reading


@pytest.fixture(params=["http", "file"])
def base(request, site):
    return request.getfixturevalue("http_base") if request.param == "http" else site.as_uri()


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


def test_the_panel_of_a_chapter_gives_the_command_by_keyboard(open_page, base):
    page = open_page(f"{base}/book/dial.html", viewport={"width": 390, "height": 800})
    page.wait_for_selector(".sifting-panel[data-ready]")
    assert not page.is_visible(".mx-knobs")
    page.focus(".sifting-panel > summary")
    page.keyboard.press("Enter")
    status, command = page.locator(".mx-knobs .mx-status"), page.locator(".mx-command")
    assert "settings of this page" in status.inner_text()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")  # to the preset before
    for _ in range(2):  # the number of seeds, then the first field
        page.keyboard.press("Tab")
        page.keyboard.press("Control+A")
        page.keyboard.type("2")
    name = page.evaluate("document.activeElement.id.split('-')[1]")
    page.wait_for_function("document.querySelector('.mx-command').textContent.endsWith('=2\"')")
    presets, shown = plans.presets("dial"), pages.record(ROOT / "book" / "dial.ipynb")["preset"]
    before = presets[presets.index(shown) - 1]
    made = {"chapter": "dial", "preset": before, "seeds": 2, "overrides": {name: 2}}
    assert name == plans.ABOUT["dial"][0] and command.inner_text() == tried.command(made)
    assert "Not stored" in status.inner_text()
    page.click(".mx-knobs button:text-is('As in the book')")
    assert "settings of this page" in status.inner_text() and "fraction" not in command.inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.trouble == []


def test_the_theme_follows_the_reader(open_page, http_base):
    shade = "getComputedStyle(document.body).backgroundColor"
    shades = {
        s: open_page(f"{http_base}/book/intro.html", color_scheme=s).evaluate(shade)
        for s in ("light", "dark")
    }
    assert shades["light"] != shades["dark"]


# --- statements


def test_a_statement_opens_by_key_and_on_paper(open_page, base):
    page = open_page(f"{base}/book/cavity.html")
    row = page.locator(".claim").first
    told = row.locator("dl")
    assert told.is_hidden()
    row.locator("summary").focus()
    page.keyboard.press("Enter")
    assert told.is_visible()
    page.keyboard.press("Enter")
    assert told.is_hidden()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert all(told.is_visible() for told in page.locator(".claim dl").all())
    assert page.trouble == []


def test_claims_can_be_chosen_and_sorted_and_are_whole_without_a_script(open_page, base):
    rows = json.loads((SITE / "claims.json").read_text())
    page = open_page(f"{base}/book/claims.html", java_script_enabled=False)
    assert page.locator(".ledger .claim").count() == len(rows) and page.locator("main select").count() == 0
    page = open_page(f"{base}/book/claims.html")
    shown = page.locator(".ledger .claim:visible")
    assert shown.count() == len(rows)
    for name, key in (("verdict", "verdict"), ("chapter", "chapter")):
        choice = page.get_by_label(name, exact=True)
        value = rows[0][key]
        choice.select_option(value)
        assert shown.count() == sum(row[key] == value for row in rows)
        assert f"{shown.count()} of {len(rows)} statements" in page.locator(".choices output").inner_text()
        choice.select_option(index=0)
    page.get_by_label("order").select_option("by p, smallest first")
    read = "all => all.map(one => one.dataset.p === '' ? Infinity : +one.dataset.p)"
    found = page.eval_on_selector_all(".ledger .claim", read)
    assert found == sorted(found) and shown.count() == len(rows)
    page.get_by_label("order").select_option(index=0)
    assert shown.count() == len(rows) and page.locator("h2:visible").count() > 1
    assert page.trouble == []


def test_in_the_sidebar_parts_say_which_paper_and_chapters_do_not(site):
    text = (SITE / "book" / "imp.html").read_text(encoding="utf-8")
    sidebar = re.search(r'<nav class="bd-links.*?</nav>', text, re.S)[0]
    assert len(re.findall(r"<a [^>]*>\s*\d+\. ", sidebar)) == len(sources.chapters())
    assert not re.search(r"\)\s*</a>", sidebar) and "(Pellegrini &amp; Biroli)" in sidebar
    assert re.search(r"<h1>[^\n]*Pellegrini", text)


def test_the_findings_are_what_the_tests_of_the_book_say(site):
    text = pages.findings_page(pages.outputs(runner.BOOK))
    assert "Not so here" not in text and "not tested yet" not in text


# --- rows of results and functions


@pytest.mark.parametrize("name, what", [("provenance", "configurations"), ("reference", "functions")])
def test_rows_can_be_found_chosen_and_sorted(open_page, base, name, what):
    page = open_page(f"{base}/book/{name}.html", viewport={"width": 390, "height": 844})
    rows, count = page.locator("ul.choosable > li:not(.head)"), page.locator(".choices output")
    total = rows.count()
    assert total > 100 and f"{total} of {total} {what}" in count.inner_text()
    word = {"provenance": "prune_fraction", "reference": "kurtosis"}[name]
    page.get_by_label("find", exact=True).fill(word)
    shown = rows.evaluate_all(
        "all => all.filter(e => e.getClientRects().length).map(e => e.querySelector('summary').textContent)"
    )
    assert 0 < len(shown) < total and f"{len(shown)} of {total}" in count.inner_text()
    assert all(word in text.lower() for text in shown)
    page.get_by_label("find", exact=True).fill("")
    order = {"provenance": "by time, longest first", "reference": "by name"}[name]
    page.get_by_label("order").select_option(order)
    key = {"provenance": "seconds", "reference": "name"}[name]
    found = rows.evaluate_all(f"all => all.map(one => one.dataset.{key})")
    assert len(found) == total
    if name == "provenance":
        assert [float(one) for one in found] == sorted(map(float, found), reverse=True)
    else:
        assert found == page.evaluate("all => [...all].sort((a, b) => a.localeCompare(b))", found)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.trouble == []


@pytest.mark.parametrize("name", ["provenance", "reference"])
def test_a_link_opens_what_it_leads_to(open_page, base, name, site):
    text = (site / "book" / "imp.html").read_text(encoding="utf-8")
    anchor = re.search(rf'href="{name}.html#([^"]*)"', text)[1]
    page = open_page(f"{base}/book/{name}.html#{anchor}")
    assert page.locator(f"[id='{anchor}']").is_visible()
    assert page.locator(f"[id='{anchor}']").bounding_box()["y"] < 900
