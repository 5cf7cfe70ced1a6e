"""HTML as pieces, tags and text by turns: enough to change pages that Sphinx wrote, in one pass."""

import html
import re
from collections.abc import Iterator

# comments; scripts and styles with what is in them; tags; text
PIECE = re.compile(
    r"""<!--.*?-->|<(script|style)\b[^>]*>.*?</\1\s*>|<[^>"]*(?:"[^"]*"[^>"]*)*>|[^<]+""",
    re.DOTALL | re.IGNORECASE,
)
NAME = re.compile(r"<(/?)([\w-]+)")
VOID = {
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr",
}  # fmt: skip


def pieces(text: str) -> Iterator[str]:
    """Tags and texts, in order; together they are the whole."""
    return (piece[0] for piece in PIECE.finditer(text))


def step(piece: str) -> tuple[str, int]:
    """The element that a piece begins (1) or ends (-1); ("", 0) for text, and for what has no inside."""
    if not piece.startswith("<") or piece.startswith(("<!", "<script", "<style")) or piece.endswith("/>"):
        return "", 0
    closes, name = NAME.match(piece).groups() if NAME.match(piece) else ("", "br")
    return ("", 0) if name.lower() in VOID else (name.lower(), -1 if closes else 1)


def attribute(tag: str, name: str) -> str:
    """The value of an attribute of a tag; "" where it has none."""
    found = re.search(rf'\s{name}="([^"]*)"', tag)
    return html.unescape(found[1]) if found else ""
