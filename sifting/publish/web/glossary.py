"""The terms of the book: the page *Glossary*, and their definitions where they first stand on other pages."""

import dataclasses
import functools
import html
import pathlib
import re
import tomllib

from sifting.publish import contents, sources
from sifting.publish.web.tags import attribute, pieces, step

PAGE = "glossary"
SOURCE = pathlib.Path(__file__).with_suffix(".toml")
APART = {
    PAGE,
    "reference",
    "provenance",
    "bibliography",
}  # lists of names and titles: no terms are told there
CLOSED = {  # elements in which nothing is marked: headings, code, links, what is folded or clicked
    "h1", "h2", "h3", "h4", "h5", "h6", "a", "code", "pre", "kbd", "script", "style", "svg", "math", "button",
    "select", "textarea", "details", "summary", "nav", "dfn", "th", "label",
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Term:
    """A term of the book.

    name     : its entry; forms : other words for it; exact : whether capitals matter
    says     : one or two plain sentences; equation : in TeX; symbol : how it stands in mathematics
    chapter  : the page that introduces it
    """

    name: str
    says: str
    chapter: str
    forms: tuple[str, ...] = ()
    equation: str = ""
    symbol: str = ""
    exact: bool = False

    @property
    def anchor(self) -> str:
        """Where it stands on the page Glossary."""
        return "term-" + re.sub(r"\W+", "-", self.name).strip("-")

    @property
    def words(self) -> tuple[str, ...]:
        """All words for it."""
        return self.name, *self.forms


@functools.cache
def terms() -> tuple[Term, ...]:
    """All terms, by their names.

    Raises ValueError for a word of two terms, and for a term of a page that there is not.
    """
    found = [
        Term(**record | {"forms": tuple(record.get("forms", ()))})
        for record in tomllib.loads(SOURCE.read_text(encoding="utf-8"))["term"]
    ]
    words = [word.lower() for term in found for word in term.words]
    if twice := {word for word in words if words.count(word) > 1}:
        raise ValueError(f"{SOURCE.name}: twice: {', '.join(sorted(twice))}")
    if lost := {term.chapter for term in found} - {*contents.pages()}:
        raise ValueError(f"{SOURCE.name}: no page {', '.join(sorted(lost))}")
    return tuple(sorted(found, key=lambda term: term.name.lower()))


def glossary_page() -> str:
    """The page: every term with its definition, its equation, and the page that introduces it."""
    text = [
        "# Glossary",
        "The terms of this book. On every other page, the first place of each shows its definition when you "
        "point at it, tap it, or reach it by the Tab key.",
    ]
    executed = {*sources.chapters(), *sources.guides()}
    for term in terms():
        others = [word for word in term.forms if word.lower().rstrip("s") != term.name.lower().rstrip("s")]
        also = f" ({', '.join(others)})" * bool(others)
        page = f"{term.chapter}.{'ipynb' if term.chapter in executed else 'md'}"
        text += [
            f'<div class="entry" id="{term.anchor}">',
            f"**{term.name}**{also}. {term.says} Introduced in [](<{page}>).",
            *([f"$${term.equation}$$"] * bool(term.equation)),
            "</div>",
        ]
    return "\n\n".join(text) + "\n"


def marked(body: str, titles: dict[str, str], page: str = "") -> str:
    """A page with a link at the first place of every term, which shows what it means; HTML.

    The answer is folded at first, and may be read or not: terms are marked in it and after it once more.
    Without a script, the link leads to the glossary. Definitions stand hidden at the end of the page, where
    a screen reader finds them.

    titles : of pages, by their names; page : the name of this one
    """
    pattern, known = _words()
    closed, made, told = [], [], {}
    seen, folded = {False: set(), True: set()}, False  # anchors marked outside and in the answer

    def link(term: Term, words: str, label: str = "") -> str:
        told[term.anchor] = term
        seen[folded].add(term.anchor)
        marks = f'aria-describedby="{term.anchor}"' + (label and f' aria-label="{label}"')
        return f'<a class="term" href="{PAGE}.html#{term.anchor}" {marks}>{words}</a>'

    def first(found: re.Match) -> str:
        words = re.sub(r"\s+", " ", found[0])
        term = known.get(words) or known[words.lower()]
        return found[0] if term.anchor in seen[folded] else link(term, found[0])

    symbols = {f"\\({term.symbol}\\)": term for term in terms() if term.symbol}
    for piece in pieces(body):
        name, way = step(piece)
        if name == "details" and not closed:
            folded = way > 0 and "folded" in attribute(piece, "class").split()
        shut = name in CLOSED and not (name == "details" and folded)
        if way > 0 and (closed or shut or "math" in attribute(piece, "class").split()):
            closed.append(name)
        elif way < 0 and closed:
            closed.pop()
            term = symbols.get(made[-1]) if not closed and len(made) > 1 else None
            if term and term.anchor not in seen[folded]:
                made[-2:], piece = [], link(term, f"{made[-2]}{made[-1]}{piece}", term.name)
        elif not name and not closed and not piece.startswith("<"):
            piece = pattern.sub(first, piece)
        made.append(piece)
    meanings = "".join(_meaning(term, titles if term.chapter != page else {}) for term in told.values())
    return "".join(made) + f'<div class="meanings" hidden>{meanings}</div>' * bool(told)


def _meaning(term: Term, titles: dict[str, str]) -> str:
    says = f"<strong>{term.name}</strong>: {html.escape(term.says)}"
    if title := titles.get(term.chapter):
        says += f' See <a href="{term.chapter}.html">{html.escape(title)}</a>.'
    return f'<p id="{term.anchor}">{says}</p>'


@functools.cache
def _words() -> tuple[re.Pattern, dict[str, Term]]:
    """What finds words of terms in a text, the longest first; and the term of each."""
    known, parts = {}, []
    every = [(word, one) for one in terms() for word in one.words]
    for word, term in sorted(every, key=lambda pair: -len(pair[0])):
        exact = term.exact or word.isupper()
        known[word if exact else word.lower()] = term
        spelled = re.escape(html.escape(word)).replace(r"\ ", r"\s+")
        parts.append(spelled if exact else f"(?i:{spelled})")
    return re.compile(rf"(?<![\w-])(?:{'|'.join(parts)})(?![\w-])"), known
