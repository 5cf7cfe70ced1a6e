"""The index of the search page: sections of all pages with their words, in a script, for files."""

import html
import json
import pathlib
import re

from sifting.publish import contents
from sifting.publish.web import glossary
from sifting.publish.web.tags import attribute, pieces, step

APART = {"reference", "provenance"}  # lists of functions and results: found by their titles alone
SKIPPED = {"pre", "svg", "nav", "button", "dl", "select", "dialog"}
ASIDE = {
    "about",
    "made",
    "meanings",
    "headerlink",
    "math",
    "cell_input",
    "enlarge",
    "mesh",
    "choices",
    "above-input",
}
HEADING = re.compile(r"h([1-3])")


def sections(text: str) -> list[dict]:
    """The sections of a page: anchor, heading and text, in order; the first has the title of the page.

    text : of the whole page, HTML
    """
    body = text.partition("<article")[2].partition("</article>")[0]
    found, skipped, places, inside = [], [], [""], ""
    for piece in pieces(body):
        name, way = step(piece)
        if skipped or (way > 0 and (name in SKIPPED or ASIDE & {*attribute(piece, "class").split()})):
            skipped = [*skipped, name] if way > 0 else skipped[:way] if way else skipped
            continue
        if name == "section":
            places = [*places, attribute(piece, "id")] if way > 0 else places[:-1]
        elif HEADING.fullmatch(name):
            inside = name if way > 0 else ""
            if way > 0:
                found.append({"anchor": places[-1] if found else "", "heading": "", "text": ""})
        elif not piece.startswith("<") and found:
            found[-1]["heading" if inside else "text"] += html.unescape(piece)
        elif found and name in ("p", "li", "td", "th", "figure", "div", "tr"):
            found[-1]["text"] += " "
    return [{key: re.sub(r"\s+", " ", value).strip() for key, value in one.items()} for one in found]


def index(site: pathlib.Path) -> list[dict]:
    """All sections of the site: id, page, its title and part, anchor, heading, text, its terms."""
    parts = {name: part for part, names in contents.everything().items() for name in names}
    told = {page: [] for page in parts}
    for term in glossary.terms():
        told[term.chapter] += term.words
    rows = []
    for page in ("intro", *contents.pages()):
        file = site / "book" / f"{page}.html"
        found = sections(file.read_text(encoding="utf-8")) if file.exists() else []
        for one in found[:1] if page in APART else found:
            first = one is found[0]
            text = one["text"] * (page not in APART)
            terms = " ; ".join([page, *told.get(page, ())]) if first else ""
            row = {
                "page": page,
                "title": found[0]["heading"],
                "part": parts.get(page, ""),
                "anchor": one["anchor"],
            }
            rows.append({"id": len(rows)} | row | {"heading": one["heading"], "text": text, "terms": terms})
    return rows


def write(site: pathlib.Path) -> None:
    """Write the index where the search page reads it: a script, since a browser fetches no file from disk."""
    text = json.dumps(index(site), ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    (site / "_static" / "search-index.js").write_text(f"window.siftingSearch={text};\n", encoding="utf-8")
    for name in ("searchindex.js", "_static/searchtools.js", "_static/language_data.js"):
        (site / name).write_text("", encoding="utf-8")  # of Sphinx; the theme loads them on every page
