"""The MyST of chapters in Markdown that JupyterLab shows: citations, links, equations, boxes."""

import functools
import itertools
import pathlib
import re
from collections.abc import Callable, Mapping
from typing import Any

from pybtex import database

from sifting.publish import place
from sifting.publish.sources import ROOT

SITE = "/static/book/"  # where JupyterLab's server has the pages of the site
CITED = re.compile(r"{cite:([pt])}`([^`]+)`")
LINK = re.compile(r"]\(([\w-]+)\.(?:ipynb|md)(#[\w-]+)?\)")
PAGE = re.compile(r'(<a\b[^>]*\bhref=")([\w-]+\.html)')
EQUATION = re.compile(r"\$\$((?:(?!\$\$).)*)\$\$ \(([\w-]+)\)", re.S)
GLUED = re.compile(r"{glue:text}`(?:([\w-]+)\.ipynb::)?([\w-]+)(?::([^`]*))?`")
NUMBER = re.compile(r"{eq}`([\w-]+)`")
BOX = re.compile(
    r"^(?P<fence>:{3,}|`{3,}){(?P<kind>[a-z]+)} *(?P<title>.*)\n(?P<body>(?:.*\n)*?)(?P=fence) *$", re.M
)
INCLUDED = re.compile(r"^```{include} ([\w-]+\.md)\n``` *$", re.M)
BOXES = "note", "tip", "hint", "important", "warning", "caution", "admonition"
FOLDS = ("dropdown",)
ROLE = re.compile(r"{[a-z:]+}`")  # what a copy must not have


def numbered(texts: list[str]) -> dict[str, int]:
    """The numbers of the equations of a page: label -> its place among those that have one, from 1 on."""
    labels = (label for text in texts for _, label in EQUATION.findall(text))
    return {label: number for label, number in zip(labels, itertools.count(1))}


def plain(
    text: str,
    copies: Mapping[str, str],
    numbers: Mapping[str, int],
    glued: Callable[[str | None, str], Any],
) -> str:
    """The text of a cell without MyST.

    copies  : chapter -> file that a link to it leads to; links to other pages lead to the site
    numbers : label of an equation -> its number
    glued   : function(page, name) -> what it gives to the text under that name; page None: this one
    """
    text = GLUED.sub(lambda found: _formatted(glued(found[1], found[2]), found[3] or ""), text)
    text = INCLUDED.sub(lambda found: _included(place.HOME / "book" / found[1]), text)
    text = BOX.sub(_box, text)
    text = CITED.sub(lambda found: _cited(found[2].split(","), found[1] == "t"), text)
    text = EQUATION.sub(lambda found: rf"$${found[1].rstrip()} \tag{{{numbers[found[2]]}}}$$", text)
    text = NUMBER.sub(lambda found: f"({numbers.get(found[1], found[1])})", text)
    return LINK.sub(lambda found: f"]({_place(found[1], copies)}{found[2] or ''})", text)


def on_site(html: str) -> str:
    """HTML of a page with links that lead to the pages of the site."""
    return PAGE.sub(rf"\1{SITE}\2", html)


def _included(part: pathlib.Path) -> str:
    """A part that the book computes, as it was when the site was built; "" before."""
    return on_site(part.read_text(encoding="utf-8")) if part.exists() else ""


def _formatted(value: Any, how: str) -> str:
    return value if isinstance(value, str) else format(value, how)


def _place(page: str, copies: Mapping[str, str]) -> str:
    return copies.get(page, f"{SITE}{page}.html")


def _box(found: re.Match) -> str:
    """A box or a fold as HTML around Markdown; what is neither stays as it is."""
    kind, title, body = found["kind"], found["title"].strip(), found["body"]
    options = re.match(r"(?::[\w-]+:.*\n)+", body)
    body = body[options.end() if options else 0 :].strip()
    if kind in FOLDS or options and ":class: dropdown" in options[0]:
        return f"<details><summary>{title or kind}</summary>\n\n{body}\n\n</details>"
    if kind in BOXES:
        return f'<div class="warning">\n\n**{title or kind.capitalize()}.** {body}\n\n</div>'
    return found[0]


@functools.cache
def _library(file: pathlib.Path = ROOT / "book" / "references.bib") -> database.BibliographyData:
    return database.parse_file(str(file), "bibtex")


def _cited(keys: list[str], textual: bool) -> str:
    """Citations as the site has them, each with a link to the bibliography."""
    found = []
    for key in map(str.strip, keys):
        entry = _library().entries[key]
        names, year = (
            _names([" ".join(person.last_names) for person in entry.persons["author"]]),
            entry.fields["year"],
        )
        title = re.sub(r'[{}"]', "", entry.fields["title"])
        words = year if textual else f"{names}, {year}"
        link = f'[{words}]({SITE}bibliography.html "{title}")'
        found.append(rf"{names} \[{link}\]" if textual else link)
    return ", ".join(found) if textual else rf"\[{', '.join(found)}\]"


def _names(names: list[str]) -> str:
    """Authors in short: one, two, or the first and others."""
    return f"{names[0]} *et al.*" if len(names) > 2 else " and ".join(names)
