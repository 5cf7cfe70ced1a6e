"""The map of the book: a tile a chapter, by part and paper, with what became of its statements."""

import collections
import re
from html import escape

from sifting.publish import contents, sources
from sifting.publish.claims import VERDICTS, counted
from sifting.publish.intervals import tone
from sifting.publish.pages.outputs import by_paper, claims_of


def map_block(shown: list[dict]) -> str:
    """The map, for pages to include: parts of the book, each with its paper and its chapters.

    A bar shows the statements of a chapter, to each verdict its share; words say the same.
    """
    found = collections.defaultdict(collections.Counter)
    for claim in claims_of(shown):
        found[claim["chapter"]][claim["verdict"]] += 1
    rows = []
    for part, chapters in contents.parts().items():
        tiles = "".join(_tile(name, found[name]) for name in chapters)
        head = f"<strong>{escape(_bare(part))}</strong> <small>{escape(_paper(shown, chapters))}</small>"
        rows.append(f'<li>{head}<ul role="list">{tiles}</ul></li>')
    return f'<ul class="map" role="list" aria-label="Chapters and what came out">{"".join(rows)}</ul>\n'


def _tile(name: str, counts: dict[str, int]) -> str:
    counts = {verdict: counts[verdict] for verdict in reversed(VERDICTS) if counts[verdict]}
    title = _bare(sources.title(name))
    said = ", ".join(counted(counts)) or "nothing is tested"
    bar = "".join(
        f'<i class="{tone(verdict)}" style="flex:{count}"></i>' for verdict, count in counts.items()
    )
    return (
        f'<li><a href="{name}.html"><span>{escape(title)}</span>'
        f'<span class="bar" aria-hidden="true">{bar}</span><small>{said}</small></a></li>'
    )


def _bare(title: str) -> str:
    """The title of a chapter or a part without the paper, which stands beside the part."""
    return re.sub(r" \([^()]*\)$", "", title)


def _paper(shown: list[dict], chapters: list[str]) -> str:
    """The paper whose figures most outputs of some chapters show; "" where they show none."""
    figures = [{"id": one["figure"]} for one in shown if one["chapter"] in chapters and "figure" in one]
    sizes = {authors: len(mine) for authors, _, mine in by_paper(figures)}
    most = max(sizes, key=sizes.get)
    return most if sizes[most] else "beyond the papers"
