"""Figures and tables as HTML."""

import base64
import html
import io
import itertools
import json
import os
import pathlib
import re

from sifting.figures import dark, panels, values
from sifting.figures.style import SMALL

SMOKE = "Made at the smoke preset, which tests that every step runs: its figures and numbers are no results."
LONG = re.compile(r'(?<= )(?:d|x|y)="[^"]*"')  # attributes of SVG that are mostly numbers
REFERRED = re.compile(r'(?<=href="#)[^"]+|(?<=url\(#)[^)]+')  # names in an SVG
MARK = re.compile(r'(<use [^>]*?)( style="[^"]*")/>')


def embed(name: str, figure, caption: str, made: str, alt: str = "", stored: str = "", of: str = "") -> str:
    """A figure as HTML, with its anchor, its caption, and who made it.

    And as a file in the folder that $SIFTING_FIGURES names, if it does.

    stored : the same figure elsewhere, as SVG, which is folded below
    of     : what that is of, in words, as "the book"
    """
    text = svg(figure)
    if folder := os.environ.get("SIFTING_FIGURES"):
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
        (pathlib.Path(folder) / f"{name}.svg").write_text(text, encoding="utf-8")
    room, said = _room(figure), html.escape(alt or _seen(figure, caption), quote=True)
    fold = f"<details><summary>{name} in {of}</summary>{picture(name, stored, room, said)}</details>"
    shown = picture(name, text, room, said, panels.cut(figure))
    return (
        f'<figure class="sifting-figure" id="{name}">{shown}{fold * bool(stored)}'
        f"<figcaption><strong>{name}.</strong> {caption} "
        f'<span class="made">{made}</span></figcaption></figure>'
    )


def _seen(figure, caption: str) -> str:
    """What is seen, for those who do not see it: the caption without tags, and the course of every line."""
    return f"{html.unescape(re.sub('<[^>]*>', '', caption)).strip()} {values.described(figure)}".strip()


def picture(name: str, text: str, room: str, alt: str, cut: list | None = None) -> str:
    """An SVG in a box that scrolls where it is too wide, as HTML.

    cut : where a phone may cut it, see figures.panels.cut; figures.js does
    """
    source = base64.b64encode(text.encode()).decode()
    pieces = f' data-cut="{json.dumps(cut)}"' if cut else ""
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{name}">'
        f'<img class="{room}" alt="{alt}"{pieces} src="data:image/svg+xml;base64,{source}"></div>'
    )


def grid(head: list[str], rows: list[list[str]], caption: str, label: str = "", anchor: str = "") -> str:
    """A table of words as HTML; the first column names the rows.

    label, anchor : HTML before the caption, and of the table
    """
    top = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in head)
    body = ""
    for first, *rest in rows:
        cells = "".join(f"<td>{_on_one_line(html.escape(cell))}</td>" for cell in rest)
        body += f'<tr><th scope="row">{html.escape(first)}</th>{cells}</tr>'
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{html.escape(caption, quote=True)}">'
        f'<table class="settings"{anchor}><caption><span>{label}{html.escape(caption)}</span></caption>'
        f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def chooser(what: str, choices: dict, orders: dict, find: bool = False) -> str:
    """Where controls stand by which a reader chooses and sorts rows, li of ul.choosable; rows.js makes them.

    choices : data attribute of a row -> what stands for all of its values, and perhaps these in their order
    orders  : words -> data attribute of numbers and 1 or -1, or None for the order as written
    find    : whether there is a field to find words in rows
    """
    told = json.dumps({"what": what, "choices": choices, "orders": orders, "find": find})
    return f'<div class="choose" data-choose="{html.escape(told, quote=True)}"></div>'


def _on_one_line(cell: str) -> str:
    """The cell of a table where no line ends between a number and its error or unit."""
    return re.sub(r"(?<=\d) (?=[±%])|(?<=±) ", "\N{NO-BREAK SPACE}", cell)


def _room(figure) -> str:
    """The class of a picture.

    One with words or numbers to be read is wider than a phone, unless it is drawn small.
    """
    read = any(ax.axison and (ax.get_xticks().size or ax.get_xlabel()) for ax in figure.axes)
    return "small" if figure.get_figwidth() <= SMALL else "wide" if read else "narrow"


def slim(text: str) -> str:
    """An SVG of matplotlib without what nobody sees: metadata, indents, spaces, thousandths of a point.

    The style of marks next to each other is said once. Names that are referred to are short, others go.
    """

    def rounded(number):
        return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")

    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", text, flags=re.DOTALL)
    text = LONG.sub(lambda attribute: re.sub(r"-?\d+\.\d{3,}", rounded, attribute[0]), text)
    text = re.sub(r' d="[^"]*"', lambda path: re.sub(r"\s*([MLQCZz])\s*", r"\1", path[0]), text)
    names = {name: f"n{n}" for n, name in enumerate(dict.fromkeys(REFERRED.findall(text)))}
    text = REFERRED.sub(lambda name: names[name[0]], text)
    text = re.sub(r' id="([^"]*)"', lambda i: f' id="{names[i[1]]}"' if i[1] in names else "", text)
    text, found = re.sub(r"\s*\n\s*", "\n", text), []
    for style, lines in itertools.groupby(
        text.splitlines(), lambda line: (MARK.fullmatch(line) or [""] * 3)[2]
    ):
        bare = [MARK.sub(r"\1/>", line) for line in lines]
        found += [f"<g{style}>", *bare, "</g>"] if style else bare
    return "\n".join(found) + "\n"


def svg(figure) -> str:
    """A figure as SVG text; equal figures give equal text."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None}, facecolor="white")
    text, svg, rest = slim(buffer.getvalue()).partition("<svg")
    opening, end, rest = rest.partition(">")
    return f"{text}{svg}{opening}{end}\n{dark.sheet(rest)}{rest}"
