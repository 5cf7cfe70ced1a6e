"""Figures of the site: files with their data, code and citation; enlarged on small screens; on paper."""

import base64
import csv
import json
import pathlib
import re

import nbformat
import pytest

from sifting.publish import pages, runner, sources
from sifting.publish.web import figures, pdf
from sifting.publish.web.figures import FOLDER

SVG = b'<svg height="72pt" width="144pt" xmlns="http://www.w3.org/2000/svg"><path d="M 0 0"/></svg>'
LEAST = 8  # pixels, of a label in the enlarged view


def embedded(name="PB1a"):
    data = base64.b64encode(SVG).decode()
    return (
        f'<figure class="sifting-figure" id="{name}"><div class="scroll"><img class="wide" alt="a" '
        f'src="data:image/svg+xml;base64,{data}"></div><figcaption>Says. <span class="made">drawn by '
        '<a href="reference.html#figures.curves.accuracy">it</a></span></figcaption></figure>'
    )


@pytest.fixture
def written(tmp_path):
    """A folder of executed chapters with one that shows PB1a, and an empty site."""
    book = tmp_path / "book"
    (book / "figures" / "imp").mkdir(parents=True)
    (book / "figures" / "imp" / "PB1a.csv").write_text("panel\n")
    call = 'page.show("PB1a", figures.curves.accuracy, table,\n          "Says.")'
    cell = nbformat.v4.new_code_cell(
        f"x = 1\n{call}", outputs=[nbformat.v4.new_output("stream", text="said")]
    )
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), book / "imp.ipynb")
    return book, tmp_path / "site"


def test_a_picture_becomes_a_file_with_its_size_and_a_row(written):
    book, site = written
    text = figures.finished(embedded(), "imp", "A & B", book, site)
    assert (site / FOLDER / "imp" / "PB1a.svg").read_bytes() == SVG
    assert (site / FOLDER / "imp" / "PB1a.csv").read_text() == "panel\n"
    assert "base64" not in text and 'width="192" height="96"' in text
    for link in (f"../{FOLDER}/imp/PB1a.svg", f"../{FOLDER}/imp/PB1a.csv"):
        assert f'href="{link}"' in text
    plain = re.sub("<[^>]*>", "", text)
    assert 'page.show("PB1a"' in plain and "def accuracy(" in plain and "x = 1" not in plain
    assert "A &amp; B" in plain and "Pellegrini &amp; Biroli 2022" in plain and "@software{" in plain


def test_two_pictures_of_one_figure_are_two_files_and_old_files_go(written):
    book, site = written
    figures.finished(embedded("old-one"), "imp", "", book, site)
    twice = embedded().replace("</figure>", "") + embedded().partition(">")[2]
    figures.finished(twice, "imp", "", book, site)
    assert sorted(path.name for path in (site / FOLDER / "imp").iterdir()) == [
        "PB1a-2.svg",
        "PB1a.csv",
        "PB1a.svg",
    ]


def test_a_notebook_to_download_is_without_outputs_and_says_where_it_runs(written):
    path = written[0] / "imp.ipynb"
    figures.bare(path)
    once = path.read_bytes()
    note, cell = nbformat.read(path, 4).cells
    assert "chapters/" in note.source and cell.outputs == [] and cell.source.startswith("x = 1")
    figures.bare(path)
    assert path.read_bytes() == once


# --- the site


def test_every_figure_has_its_picture_code_and_citation(site):
    for name in sources.chapters():
        text = (site / "book" / f"{name}.html").read_text(encoding="utf-8")
        rows = dict(
            re.findall(
                r'<figure class="sifting-figure" id="([^"]*)">.*?(<div class="about">.*?)</figure>',
                text,
                re.DOTALL,
            )
        )
        shown = [
            one
            for one in pages.outputs(runner.BOOK)
            if one["chapter"] == name and one.get("function", "").startswith("figures.")
        ]
        assert {one["figure"] for one in shown} <= {*rows}
        for one in shown:
            row = rows[one["figure"]]
            assert (site / FOLDER / name / f"{one['figure']}.svg").exists()
            assert f"def {one['function'].rpartition('.')[2]}(" in re.sub("<[^>]*>", "", row)
            assert f"figure {one['figure']}" in row
            for link in re.findall('href="([^"]*)"', row):
                assert (site / "book" / link).exists()


def test_data_are_rows_with_one_head(site):
    files = sorted((site / FOLDER).rglob("*.csv"))
    assert len(files) > 80
    for path in files:
        head, *rows = csv.reader(path.read_text(encoding="utf-8").splitlines())
        assert head[:4] == ["panel", "horizontal", "vertical", "series"] and rows
        assert all(len(row) == len(head) for row in rows), path


def test_labels_can_be_read_in_the_enlarged_view(site):
    """Letters are outlines of 100 units, scaled to the size of the font in points."""
    zoom = float(re.search(r"LEGIBLE = ([\d.]+)", (site / "_static" / "figures.js").read_text())[1])
    for path in (site / FOLDER).rglob("*.svg"):
        text = path.read_text(encoding="utf-8")
        for group in re.findall(r'<g [^>]*scale\(([\d.]+) -[\d.]+\)"', text):
            assert 100 * float(group) * figures.PIXELS * zoom >= LEAST, path


def test_the_site_is_not_too_large(site):
    assert sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) < 50e6


@pytest.fixture(params=["http", "file"])
def base(request, site):
    return request.getfixturevalue("http_base") if request.param == "http" else site.as_uri()


def test_on_a_phone_figures_fit_and_are_enlarged_by_tap_and_key(open_page, base):
    page = open_page(f"{base}/book/pruners.html", viewport={"width": 390, "height": 844}, has_touch=True)
    page.evaluate("document.querySelectorAll('details.answer').forEach(fold => { fold.open = true })")
    shown, stacks = page.locator(".sifting-figure"), page.locator(".sifting-figure > .stack")
    assert stacks.count() == page.locator(".sifting-figure > .scroll img[data-cut]").count() > 0
    assert page.locator(".sifting-figure > .scroll:visible").count() == shown.count() - stacks.count()
    small = """all => all.map(one => [
        one.firstChild.offsetWidth + 1 < one.least, one.scrollWidth > one.clientWidth + 1, one.tabIndex === 0
    ])"""  # labels under 8 pixels, something that is cut, a place for the keyboard
    for less, wide, reached in page.eval_on_selector_all(".stack .piece", small):
        assert wide == reached and not (less and wide)
    link, dialog, picture = (
        page.locator(one) for one in ("#pruners-compare a.enlarge", "dialog.enlarged", "img.enlarged")
    )
    assert link.is_visible() and link.bounding_box()["height"] >= 24
    link.tap()
    assert dialog.is_visible()
    wide = picture.bounding_box()["width"]
    assert wide >= 1.2 * page.evaluate("document.querySelector('#pruners-compare img').naturalWidth")
    page.keyboard.press("+")
    assert picture.bounding_box()["width"] > wide
    page.keyboard.press("0")
    assert picture.bounding_box()["width"] <= 390
    page.evaluate(PINCH)
    assert picture.bounding_box()["width"] == pytest.approx(
        2 * page.evaluate("document.querySelector('.pane').clientWidth"), rel=0.05
    )
    page.keyboard.press("Escape")
    assert dialog.is_hidden() and page.evaluate("document.activeElement.className") == "enlarge"
    page.keyboard.press("Enter")
    assert dialog.is_visible()
    page.get_by_label("close").click()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.trouble == []


PINCH = """() => {
  const pane = document.querySelector(".pane");
  const send = (kind, pointerId, clientX) =>
    pane.dispatchEvent(new PointerEvent(kind, { pointerId, clientX, clientY: 300, bubbles: true }));
  send("pointerdown", 1, 150); send("pointerdown", 2, 250);
  send("pointermove", 1, 100); send("pointermove", 2, 300);
  send("pointerup", 1, 100); send("pointerup", 2, 300);
}"""


def test_figures_are_dark_where_the_page_is(open_page, base):
    for scheme, low, high in (("light", 240, 255), ("dark", 0, 60)):
        page = open_page(f"{base}/book/pruners.html", color_scheme=scheme)
        image = page.locator("#pruners-compare .scroll img")
        image.scroll_into_view_if_needed()
        shade = page.evaluate(CORNER, base64.b64encode(image.screenshot()).decode())
        assert low <= shade <= high, scheme


CORNER = """async (data) => {
  const image = new Image();
  image.src = "data:image/png;base64," + data;
  await image.decode();
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: image.width, height: image.height });
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  return Math.max(...context.getImageData(20, image.height - 12, 1, 1).data.slice(0, 3));
}"""


# --- on paper


def test_a_page_among_others_has_its_own_anchors_and_open_folds():
    text = (
        '<html><article class="bd-article"><h1 id="a">T</h1><details><summary>s</summary>x</details>'
        '<a href="data.html#b">d</a><a href="reference.html#f">f</a><a href="#a">a</a><a href="https://x.org">x</a>'
        '<div class="about"><div>row</div></div><script>1</script></article></html>'
    )
    found = pdf.article("imp", text, {"imp", "data"})
    assert (
        'id="imp--a"' in found and "<details open>" in found and "row" not in found and "script" not in found
    )
    assert re.findall('href="([^"]*)"', found) == ["#data--b", "#imp--a", "https://x.org"]
    assert "<a>f</a>" in found


def test_the_contents_name_the_page_of_every_chapter(browser):
    names = [f"chapter-{n}--" for n in range(5)]
    listed = "".join(f'<li><a href="#{name}">{name}</a></li>' for name in names)
    chapters = "".join(f'<h1 id="{name}" style="break-before: page">{name}</h1>' for name in names)
    page = browser.new_page()
    page.set_content(f'<nav class="listed"><ol>{listed}</ol></nav>{chapters}')
    found = pdf.places(page.pdf(**pdf.FORM))
    assert {name: found[name] for name in names} == {name: 2 + n for n, name in enumerate(names)}
    page.evaluate(pdf.NUMBERED, found)
    shown = page.eval_on_selector_all(".listed a", "all => all.map(one => one.dataset.page)")
    assert shown == ["2", "3", "4", "5", "6"]


def test_without_a_browser_the_message_says_what_to_do(monkeypatch):
    monkeypatch.setattr(pdf.shutil, "which", lambda name: None)
    with pytest.raises(sources.BuildError, match="CHROMIUM"):
        pdf.chromium()


def test_the_whole_has_every_chapter_and_no_link_that_leads_nowhere(site):
    text = pdf.whole(pathlib.Path(site))
    anchors = set(re.findall(r'\sid="([^"]*)"', text))
    assert all(f"{name}--" in anchors for name in sources.chapters())
    lost = {link for link in re.findall(r'href="#([^"]*)"', text)} - anchors
    assert lost == set()
    assert text.count('class="sifting-figure"') >= 150 and json.dumps("base64") not in text
