"""Every page of the built site on a desk, in a real browser, over http.

The browser may reach nothing but this machine.
"""

import pathlib

import pytest

from sifting.publish import pages, sources

ROOT = pathlib.Path(__file__).resolve().parents[2]
AXE = pathlib.Path(__file__).parents[1] / "axe.min.js"
OURS = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
}
COLORS = {
    "resultTypes": ["violations"],
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
}


@pytest.fixture(scope="module")
def page(address, open_page, http_base):
    """Each page, opened once for the tests that look at it."""
    return open_page(f"{http_base}/{address}")


def test_a_chapter_says_in_its_first_screen_which_preset_it_shows(page, address):
    name = pathlib.PurePath(address).stem
    if name in sources.chapters():
        made = pages.record(ROOT / "book" / f"{name}.ipynb")
        said = page.locator(".shown")
        assert f"{made['preset']} preset" in said.inner_text() and "core-hours" in said.inner_text()
        assert said.bounding_box()["y"] < page.viewport_size["height"]


def test_a_chapter_shows_its_first_figure_in_its_first_screen(page, address):
    """Whole: the prediction, or what else is drawn first."""
    if pathlib.PurePath(address).stem in sources.chapters():
        drawn = page.locator(":is(.mx-chart svg, .mx-pick, .sifting-figure img) >> visible=true")
        box = drawn.first.bounding_box()
        assert box["height"] > 100 and box["y"] + box["height"] <= page.viewport_size["height"]


def test_axe_finds_nothing_serious(page):
    """In the light; in the dark, where nothing but colors differs, by the rules about colors."""
    alike = (
        "document.querySelectorAll('main :is(.function, tbody tr)').forEach((e, n) => n % 9 && e.remove())"
    )
    page.evaluate(alike)  # hundreds of functions, and of rows, look the same: every tenth is enough
    page.evaluate("document.querySelectorAll('main details').forEach(d => { d.open = true })")
    page.add_style_tag(content="* { animation: none !important; transition: none !important }")
    page.add_script_tag(path=AXE)
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert serious(page, OURS) == []
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"getComputedStyle(document.body).backgroundColor != {light!r}")
    assert serious(page, COLORS) == []


def test_a_page_asks_nobody_and_reports_no_error(page):
    """Until now, that is, in the light and in the dark."""
    assert page.trouble == []
    assert page.title()


def serious(page, options: dict) -> list[str]:
    """What axe finds of serious and critical violations."""
    found = page.evaluate("options => axe.run(document, options)", options)["violations"]
    return [
        f"{v['id']}: {n['html'][:140]}"
        for v in found
        if v["impact"] in ("serious", "critical")
        for n in v["nodes"]
    ]
