"""The built site by touch, by keyboard and from disk; the browser may reach nothing but this machine."""

import pytest
from playwright.sync_api import expect

from sifting import widgets
from sifting.publish import sources

PICTURES = """e => [...e.querySelectorAll('svg')].map(s => s.innerHTML).join()
    + [...e.querySelectorAll('canvas')].map(c => c.toDataURL()).join()"""
WIDE = """() => [...document.querySelectorAll('main *')]
    .filter(e => e.getBoundingClientRect().right > innerWidth + 1
        && !e.closest('.scroll, pre, .highlight, .math, [class*=table], mjx-container'))
    .map(e => e.outerHTML.slice(0, 120)).slice(0, 3)"""
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}


def test_a_phone_shows_a_page_from_disk_without_scrolling_sideways(open_page, site, address):
    page = open_page(f"{site.as_uri()}/{address}", **PHONE)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(100)  # explorers measure the place that they have
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, page.evaluate(WIDE)
    assert page.title()
    assert page.trouble == []


def explorers(name: str) -> list[str]:
    """The explorers that a chapter shows, by its source."""
    text = (sources.CHAPTERS / f"{name}.ipynb").read_text(encoding="utf-8")
    return [kind for kind in widgets.__all__ if f"{kind}.from_" in text]


def predictions(name: str) -> bool:
    """Whether a chapter asks what the reader expects."""
    return "predict." in (sources.CHAPTERS / f"{name}.ipynb").read_text(encoding="utf-8")


@pytest.mark.parametrize("scheme", ["http", "file"])
@pytest.mark.parametrize("name", [*filter(explorers, sources.chapters())])
def test_the_keyboard_reaches_the_explorer_and_moves_it(open_page, site, http_base, name, scheme):
    page = open_page(f"{http_base if scheme == 'http' else site.as_uri()}/book/{name}.html")
    moved = page.locator("input[type=range], [role=listbox]")  # a prediction has none
    explorer = page.locator(".anywidget-static").filter(has=moved).first
    slider = explorer.locator("input[type=range]")
    control = (slider if slider.count() else explorer.locator("[role=listbox]")).first
    for _ in range(400):
        page.keyboard.press("Tab")
        if control.evaluate("node => node === document.activeElement"):
            break
    else:
        pytest.fail("Tab never reaches the explorer")

    def pressed(key):
        page.keyboard.press(key)
        page.wait_for_timeout(200)  # it is drawn a frame later
        return explorer.evaluate(PICTURES), explorer.locator(".mx-status").inner_text()

    first, last = pressed("Home"), pressed("End")
    assert first[0] != last[0] and first[1] != last[1]
    assert page.trouble == []


@pytest.mark.parametrize("name", [*filter(predictions, sources.chapters())])
def test_a_page_from_disk_asks_before_it_answers(open_page, site, name):
    page = open_page(f"{site.as_uri()}/book/{name}.html")
    for asked in page.locator(".mx-curve-explorer, .mx-line-explorer").all():
        field = asked.locator(".mx-draw")
        expect(field.locator(".mx-answer, .mx-band, .mx-interval")).to_have_count(0)
        asked.get_by_role("button", name="Just show me").click()
        expect(field.locator(".mx-answer, .mx-interval")).to_have_count(1)
    for asked in page.locator(".mx-which-explorer").all():
        expect(asked).not_to_contain_text("Λ =", use_inner_text=True)
        asked.get_by_role("button", name="Just show me").click()
        expect(asked).to_contain_text("Λ =", use_inner_text=True)
    assert page.trouble == []
