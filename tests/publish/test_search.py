"""The index of the search page, and the page in a browser, from disk, too."""

import json

import pytest

from sifting.publish import contents
from sifting.publish.web import search

PAGE = """<html><body><nav>menu</nav><article class="bd-article">
<section id="top"><h1>A title<a class="headerlink" href="#top">#</a></h1><p>First &amp; <em>best</em>.</p>
<div class="cell_input"><pre>code</pre></div><section id="part"><h2>Part</h2>
<p>Words <span class="math">\\(x\\)</span> <a class="term" href="">here</a>.</p>
<div class="meanings" hidden><p>meaning</p></div></section></section></article>
<footer>end</footer></body></html>"""


def test_a_page_has_its_sections_and_what_one_reads_of_them():
    first, part = search.sections(PAGE)
    assert first == {"anchor": "", "heading": "A title", "text": "First & best."}
    assert part == {"anchor": "part", "heading": "Part", "text": "Words here."}


def test_the_index_has_every_page_and_of_lists_the_title_alone(site):
    rows = search.index(site)
    pages = [row["page"] for row in rows]
    assert set(pages) == {"intro", *contents.pages()}
    assert all(pages.count(page) == 1 for page in search.APART)
    assert [row["id"] for row in rows] == list(range(len(rows)))
    text = (site / "_static" / "search-index.js").read_text(encoding="utf-8")
    assert json.loads(text.removeprefix("window.siftingSearch=").removesuffix(";\n")) == rows
    for row in rows:
        page = (site / "book" / f"{row['page']}.html").read_text(encoding="utf-8")
        assert not row["anchor"] or f'id="{row["anchor"]}"' in page


FIRST = {
    "kurtosis": "kurtosis", "one-shot": "pruners", "glossary": "glossary", "synflow": "pruners",
    "SNIP": "pruners", "basin": "basins", "barrier": "basins", "cavity": "cavity",
    "Gaussian clones": "clones", "jaccard": "similarity",
    "utility": "utility", "ensemble": "ensembles", "lottery ticket": "imp", "fine-tuning": "methods",
}  # fmt: skip


@pytest.fixture(params=["http", "file"])
def base(request, site):
    return request.getfixturevalue("http_base") if request.param == "http" else site.as_uri()


def test_the_chapter_on_a_thing_is_found_first_with_an_excerpt(open_page, base):
    page = open_page(f"{base}/search.html")
    field = page.locator(".bd-search-container input")
    for query, chapter in FIRST.items():
        field.fill(query)
        first = page.locator(".found > li").first
        assert first.locator("> a").get_attribute("href") == f"book/{chapter}.html", query
        assert first.locator("p").count()
        last = {f"book/{name}.html" for name in search.APART}
        assert not last & set(
            page.eval_on_selector_all(".found > li > a", "all => all.map(a => a.getAttribute('href'))")
        )
    field.fill("kurtosis")
    assert page.locator(".found mark").first.inner_text().lower() == "kurtosis"
    field.fill("xyzzy")
    assert "Nothing found" in page.locator(".search-count").inner_text()
    assert page.trouble == []


def test_a_search_begins_on_any_page_and_has_an_address(open_page, base):
    page = open_page(f"{base}/book/imp.html", viewport={"width": 390, "height": 844})
    page.keyboard.press("Control+k")
    page.keyboard.type("kurtosis")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=kurtosis*")
    assert page.locator(".found > li > a").first.get_attribute("href") == "book/kurtosis.html"
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.locator(".found .place a").first.click()
    page.wait_for_url("**/book/kurtosis.html#*")
    assert page.trouble == []
