"""The book as one PDF: all pages one after another, what is folded open, printed by a headless Chromium."""

import datetime
import html
import os
import pathlib
import re
import shutil

from sifting.publish import contents
from sifting.publish.sources import BuildError
from sifting.publish.web.tags import attribute, pieces, step

BROWSERS = (  # where Chromium may be; $CHROMIUM first
    "chromium", "chromium-browser", "google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)  # fmt: skip
APART = {"reference", "provenance", "trials"}  # long lists, and what is not of the book
DROPPED = {"about", "enlarge", "headerlink", "choose", "meanings", "sifting-panel", "toggle-details__summary"}
TWICE = "claims"  # what is folded there stands open in the chapters
PAGE = "sifting-print.html"  # while it is printed
FOOT = (
    '<div style="font: 7pt sans-serif; width: 100%; text-align: center; color: #555">'
    '<span class="pageNumber"></span></div>'
)
FORM = {
    "format": "A4", "print_background": True, "outline": True, "tagged": True, "display_header_footer": True,
    "margin": {"top": "16mm", "bottom": "18mm", "left": "18mm", "right": "18mm"},
    "header_template": "<span></span>", "footer_template": FOOT,
}  # fmt: skip
# writes behind every line of the contents the page that it leads to
NUMBERED = """places => document.querySelectorAll(".listed a").forEach((link) => {
    link.dataset.page = places[link.hash.slice(1)] ?? "";
})"""
NOTE = '<p class="widget-static-note">Here, the page on the site has an explorer.</p>'
WIDGET = "application/vnd.jupyter.widget-view+json"


def chromium() -> str:
    """The browser that prints. Raises BuildError where there is none, and says what to do."""
    names = filter(None, (os.environ.get("CHROMIUM"), *BROWSERS))
    if found := next((path for name in names if (path := shutil.which(name))), None):
        return found
    raise BuildError("make pdf prints by Chromium, which is not found: install it, or name it in $CHROMIUM")


def article(page: str, text: str, pages: set[str]) -> str:
    """What is read of a page, for one among others: anchors and links have its name before them; HTML.

    pages : names of all that are printed; links to others lead nowhere
    """
    body = text.partition("<article")[2].partition(">")[2].partition("</article>")[0]
    found, dropped = [], []
    for piece in pieces(body):
        name, way = step(piece)
        if dropped or (way > 0 and DROPPED & {*attribute(piece, "class").split()}):
            dropped = [*dropped, name] if way > 0 else dropped[:way] if way else dropped
            continue
        if piece.startswith("<script"):
            found += [NOTE] * (WIDGET in piece)
        elif piece.startswith("<") and way >= 0:
            found.append(_moved(piece, page, pages, name))
        else:
            found.append(piece)
    return f'<article class="bd-article" id="{page}--">{"".join(found)}</article>'


def _moved(tag: str, page: str, pages: set[str], name: str) -> str:
    """A tag with its anchor and its link as they are in the whole; what is folded is open."""
    tag = re.sub(r' id="([^"]*)"', rf' id="{page}--\1"', tag)
    if name == "details" and " open" not in tag and page != TWICE:
        tag = tag.replace("<details", "<details open", 1)
    found = attribute(tag, "href")
    if name == "a" and found and not re.match(r"[a-z]+:", found):
        there, _, anchor = found.partition("#")
        there = there.removesuffix(".html") or page
        place = f' href="#{html.escape(f"{there}--{anchor}")}"' if there in pages else ""
        tag = re.sub(r' href="[^"]*"', lambda _: place, tag)
    return tag


def whole(site: pathlib.Path) -> str:
    """All pages as one, with a title, contents, and a head that loads the styles of the site."""
    names = [name for name in ("intro", *contents.pages()) if name not in APART]
    texts = {name: (site / "book" / f"{name}.html").read_text(encoding="utf-8") for name in names}
    head = texts["intro"].partition("<head>")[2].partition("</head>")[0]
    styles = "".join(re.findall(r'<link[^>]*rel="stylesheet"[^>]*>', head))
    math = next((found for text in texts.values() if (found := _math(text))), "")
    articles = [article(name, text, {*names}) for name, text in texts.items()]
    titles = {
        name: re.sub("<[^>]*>|#", "", re.search("(?s)<article.*?<h1>(.*?)</h1>", text)[1])
        for name, text in texts.items()
    }
    listed = ""
    for part, inside in contents.everything().items():
        lines = "".join(
            f'<li><a href="#{name}--">{titles[name]}</a></li>' for name in inside if name in texts
        )
        listed += f"<h3>{html.escape(part)}</h3><ul>{lines}</ul>" * bool(lines)
    head = f'<meta charset="utf-8"><title>Sifting</title>{styles}{math}'
    cover = (
        '<header class="cover"><h1>Sifting</h1><p>An executable book on iterative magnitude pruning</p>'
        f"<p>{datetime.date.today():%B %Y}</p></header>"
    )
    listed = f'<nav class="listed" aria-label="Contents"><h2>Contents</h2>{listed}</nav>'
    return (
        f'<!doctype html><html lang="en" data-theme="light" data-mode="light"><head>{head}</head>'
        f'<body class="book">{cover}{listed}{"".join(articles)}</body></html>'
    )


def _math(text: str) -> str:
    """The scripts by which a page sets mathematics; "" where it has none."""
    found = re.findall(
        r"<script[^>]*mathjax[^>]*></script>|<script>window\.MathJax[^<]*</script>", text, re.IGNORECASE
    )
    return "".join(one.replace(' defer="defer"', "").replace(" async", "") for one in found)


def places(text: bytes) -> dict[str, int]:
    """Anchor -> the page that it is on, from 1 on; of a PDF of Chromium, whose objects are plain text."""
    pages = re.findall(rb"^(\d+) 0 obj\n<</Type /Page\n", text, re.M)
    number = {page: place for place, page in enumerate(pages, 1)}
    found = re.findall(rb"/([\w-]+) \[(\d+) 0 R /XYZ", text)
    return {anchor.decode(): number[page] for anchor, page in found if page in number}


def write(site: pathlib.Path, target: pathlib.Path) -> pathlib.Path:
    """Print the book; returns where it lies.

    Raises FileNotFoundError where there is no site, and BuildError where there is no Chromium.
    """
    if not (site / "index.html").exists():
        raise FileNotFoundError(f"{site} is not there yet; make builds it")
    path = chromium()
    from playwright.sync_api import sync_playwright

    page = site / "book" / PAGE
    try:
        page.write_text(whole(site), encoding="utf-8")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
            tab = browser.new_page(color_scheme="light")
            tab.set_default_timeout(0)
            tab.goto(page.as_uri(), wait_until="load")
            tab.evaluate(
                "async () => { await window.MathJax?.startup?.promise; await document.fonts.ready; }"
            )
            tab.evaluate(NUMBERED, places(tab.pdf(**FORM)))  # which takes no room: places stay
            tab.pdf(path=target, **FORM)
            browser.close()
    finally:
        page.unlink(missing_ok=True)
    print(f"{target}: {target.stat().st_size / 1e6:.0f} MB")
    return target
