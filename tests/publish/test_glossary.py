"""Terms: each is defined once, and told where it first stands on a page."""

import html
import json
import re

import pytest

from sifting.publish import contents, sources
from sifting.publish.web import glossary

LINK = re.compile(
    r'<a class="term" href="glossary.html#([^"]*)" aria-describedby="\1"[^>]*>(.*?)</a>', re.DOTALL
)


def told(body: str, **how) -> list[tuple[str, str]]:
    """(anchor, words) of the terms that are marked."""
    return LINK.findall(glossary.marked(body, {}, **how))


@pytest.mark.parametrize("term", glossary.terms(), ids=lambda term: term.name)
def test_every_word_of_a_term_is_told_once_and_only_in_prose(term):
    for word in map(html.escape, term.words):
        assert told(f"<p>Of {word}, and {word} again.</p>") == [(term.anchor, word)]
        assert " " in word or told(f"<p>x{word}y</p>") == []
        for tag in ("h2", "code", "a", "pre", "summary", "button"):
            assert told(f"<{tag}>{word}</{tag}>") == []
            assert told(f"<{tag}><b>{word}</b></{tag}><p>{word}</p>") == [(term.anchor, word)]


@pytest.mark.parametrize("term", glossary.terms(), ids=lambda term: term.name)
def test_an_entry_is_short_and_leads_to_a_page_that_uses_the_term(term):
    assert term.says.endswith(".") and len(term.says) < 240 and term.says.count(". ") < 2
    assert f'id="{term.anchor}"' in glossary.glossary_page()
    assert term.equation in glossary.glossary_page()
    if term.chapter in sources.chapters():
        text = json.dumps([cell["source"] for cell in sources.cells(sources.path(term.chapter))])
        assert any(word.lower() in text.lower() for word in term.words) or f"${term.symbol}$" in text
    else:
        assert term.chapter in contents.pages()


def test_a_page_is_otherwise_as_it_was():
    body = (
        '<p title="mask > ticket">A mask, &amp; <em>a ticket</em><br/><!-- IMP --><script>mask</script> Λ</p>'
    )
    marked = glossary.marked(body, {"imp": "A & B"}, "data")
    assert LINK.sub(r"\2", marked).partition('<div class="meanings"')[0] == body
    assert [words for _, words in LINK.findall(marked)] == ["mask", "ticket", "Λ"]
    assert marked.count('See <a href="imp.html">A &amp; B</a>.') == 3
    assert "See" not in glossary.marked(body, {"imp": "A & B"}, "imp")


def test_a_symbol_is_told_as_a_whole():
    span = r'<span class="math notranslate">\(\Lambda\)</span>'
    assert told(f"<p>{span} is Λ</p>") == [("term-Lambda", span)]
    assert told(f"<h2>{span}</h2>") == []


def test_a_term_is_told_in_the_folded_answer_and_again_after_it():
    fold = '<details class="answer folded"><summary>IMP</summary><p>IMP, IMP</p></details>'
    assert told(f"{fold}<p>IMP, IMP</p>") == 2 * [("term-iterative-magnitude-pruning", "IMP")]
    assert told("<details><p>IMP</p></details>") == []


# --- in a browser


@pytest.fixture(params=["http", "file"])
def base(request, site):
    return request.getfixturevalue("http_base") if request.param == "http" else site.as_uri()


def test_a_definition_shows_by_mouse_and_by_key(open_page, base):
    page = open_page(f"{base}/book/imp.html")
    term, box = page.locator("a.term").first, page.locator(".meaning")
    says = page.locator(f"[id='{term.get_attribute('aria-describedby')}']").text_content()
    assert box.is_hidden()
    term.hover()
    assert box.inner_text() == says
    page.keyboard.press("Escape")
    assert box.is_hidden()
    page.mouse.move(0, 0)
    term.focus()
    assert box.inner_text() == says
    page.keyboard.press("Enter")  # it is a link, too
    page.wait_for_url("**/glossary.html#*")
    assert page.trouble == []


def test_a_tap_shows_a_definition_within_the_screen_and_leads_nowhere(open_page, base):
    page = open_page(f"{base}/book/imp.html", viewport={"width": 390, "height": 844}, has_touch=True)
    page.locator("details.folded").wait_for(state="attached")  # the answer is folded, with its terms
    for term in page.locator("a.term:visible").all()[:6]:
        term.tap()
        box = page.locator(".meaning").bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390
        page.keyboard.press("Escape")
    assert page.url.endswith("imp.html")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.trouble == []
