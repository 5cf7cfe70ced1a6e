"""The page *Coverage*: which figures and tables of the papers there are, and what became of what they say."""

import collections
import json
import pathlib
from html import escape

from sifting.config import FIELDS
from sifting.publish import plans, sources
from sifting.publish.catalog import DIFFERS, FIGURES
from sifting.publish.claims import VERDICTS, counted
from sifting.publish.intervals import badge, tone
from sifting.publish.markup import grid
from sifting.publish.pages.outputs import by_paper, claims_of, figure_link, outputs, warning, where

DRAWN = "shown"  # what is said of a figure that is drawn and about which nothing is tested


def write_coverage(book: pathlib.Path, target: pathlib.Path) -> None:
    """Write the coverage as JSON, see `coverage`."""
    target.write_text(json.dumps(coverage(outputs(book)), indent=1) + "\n", encoding="utf-8")


def coverage(shown: list[dict]) -> list[dict]:
    """One row for every figure and table of the papers.

    status   : reproduced where a chapter drew it, else "not yet"
    verdicts : how many of the statements on it have each verdict; None where it is not drawn
    failed   : those that do not hold
    settings : fields of the chapter's preset that are not as in the paper
    differs  : other respects in which the figure is not as in the paper, in words
    """
    papers = [output for output in shown if not output.get("own")]
    drawn = {output["figure"]: output for output in reversed(papers) if "figure" in output}
    claims = collections.defaultdict(list)
    for claim in claims_of(shown):
        claims[claim["id"]].append(claim)
    strangers = sorted(name for name in {*drawn, *claims} - {*FIGURES} if "-" not in name)  # ours have one
    if strangers:
        raise ValueError(
            f"the papers have no figure {', '.join(strangers)}; see sifting/publish/catalog/figures.py"
        )
    rows = []
    for name in FIGURES:
        place = {key: drawn.get(name, {}).get(key) for key in ("chapter", "preset", "dataset")}
        found = collections.Counter(claim["verdict"] for claim in claims[name])
        counts = {verdict: found[verdict] for verdict in reversed(VERDICTS)}
        failed = [claim["statement"] for claim in claims[name] if claim["verdict"] == VERDICTS[0]]
        rows.append(
            {"id": name, "status": "reproduced" if name in drawn else "not yet"}
            | place
            | {"verdicts": counts if name in drawn else None, "failed": failed}
            | {"settings": _settings(place["chapter"], place["preset"]), "differs": DIFFERS.get(name, "")}
        )
    return rows


def _settings(chapter: str | None, preset: str | None) -> list[str]:
    """Fields in which the preset of a chapter is not the paper's."""
    if chapter not in plans.GROUPS:
        return []
    here, paper = (plans.base(chapter, name) for name in (preset, "paper"))
    return [field for field in FIELDS if getattr(here, field) != getattr(paper, field)]


def coverage_page(shown: list[dict]) -> str:
    """Coverage: every figure and table, where it is reproduced, and what became of its claims."""
    rows = coverage(shown)
    text = [
        "# Coverage",
        *warning(shown),
        f"{_done(rows)} figures and tables of the four papers are in the book. A figure counts once a "
        "chapter draws it from results of our own; where a curve of it is missing, or networks failed before "
        "there was anything to see, the chapter says so. Beside it stands what became of the statements "
        f"about it, which are on [Claims](claims.md) one by one; *{DRAWN}* is said of a figure "
        "that is drawn and about which no statement is tested. In which respects figures are not as in the "
        "paper is listed below those of each paper. All of it for machines: "
        '<a href="../coverage.json"><code>coverage.json</code></a>.',
        _mesh(rows),
        "## Chapter by chapter",
        "A bar is the share of a chapter's statements that hold (green), are unclear, or do not hold (red).",
        "```{include} map.md\n```",
    ]
    for authors, cite, mine in by_paper(rows):
        items = "\n".join(_covered(row) for row in mine)
        text += [f"## {authors}", f"{_done(mine)} are in the book {{cite:p}}`{cite}`."]
        text += [f'<ul class="coverage">\n{items}\n</ul>', _specified(mine)]
    return "\n\n".join(text) + "\n"


def _specified(rows: list[dict]) -> str:
    """In which respects figures are not as in the paper: settings, said once for chapters, and others."""
    drawn, chapters = [row for row in rows if row["chapter"]], collections.defaultdict(dict)
    for row in drawn:
        chapters[", ".join(row["settings"]) or "none"][sources.title(row["chapter"])] = True
    settings = [["; ".join(titles), fields] for fields, titles in chapters.items()]
    others = [[f"{row['id']} {FIGURES[row['id']]}", row["differs"]] for row in drawn if row["differs"]]
    tables = [grid(["chapters", "fields"], settings, "Settings that are not the paper's")] * bool(settings)
    tables += [grid(["figure or table", "difference"], others, "Other differences")] * bool(others)
    return (
        "<details><summary>As in the paper, or not: settings and other differences</summary>"
        f"{''.join(tables)}</details>"
    )


def _covered(figure: dict) -> str:
    name = f"<code>{figure['id']}</code> {escape(FIGURES[figure['id']])}"
    if not figure["chapter"]:
        return f'<li><span>{name}</span><span class="verdict">not yet</span></li>'
    link = figure_link(figure["id"], figure["chapter"], name)
    verdicts = figure["verdicts"]
    badges = [
        badge(verdict, words) for verdict, words in zip(filter(verdicts.get, verdicts), counted(verdicts))
    ]
    became = f'<a href="claims.html#{figure["id"]}">{" ".join(badges)}</a>' if badges else badge(DRAWN)
    failed = "".join(f"<p>Does not hold: {escape(statement)}</p>" for statement in figure["failed"])
    return f'<li class="done">{link}<small>{where(figure)}</small>{became}{failed}</li>'


def _done(rows: list[dict]) -> str:
    return f"{sum(row['status'] == 'reproduced' for row in rows)} of {len(rows)}"


def _mesh(rows: list[dict]) -> str:
    """The sieve: a dot a figure that leads to it, with a slice for every verdict on it; and a legend."""
    dots = []
    for figure in rows:
        counts = figure["verdicts"]
        words = "not yet" if counts is None else ", ".join(counted(counts)) or DRAWN
        told = f'title="{figure["id"]}: {words}" aria-label="{figure["id"]}: {words}"'
        dot = f'<i class="not-yet" role="img" {told}></i>'
        if counts is not None:
            link = f'href="{figure["chapter"]}.html#{figure["id"]}"'
            dot = f"<a {link} {told}{_slices(counts)}></a>"
        dots.append(f"<li>{dot}</li>")
    colors = {tone(verdict): verdict for verdict in reversed(VERDICTS)}
    colors |= {"drawn": f"{DRAWN}, nothing is tested", "not-yet": "not yet in the book"}
    legend = "".join(f'<li><i class="{style}"></i> {words}</li>' for style, words in colors.items())
    return (
        f'<ul class="mesh" role="list" aria-label="All figures and tables">{"".join(dots)}</ul>'
        '<p class="mesh-key">A dot is a figure or table, and leads to it; a slice of it is the share of the '
        f'statements that have this verdict:</p><ul class="mesh-key" role="list">{legend}</ul>'
    )


def _slices(counts: dict[str, int]) -> str:
    """The background of a dot: to each verdict its share of the circle."""
    total, end, stops = sum(counts.values()), 0.0, []
    for verdict, count in counts.items():
        if count:
            start, end = end, end + 100 * count / total
            stops.append(f"var(--{tone(verdict)}) {start:.4g}% {end:.4g}%")
    return f' style="background: conic-gradient({", ".join(stops)})"' if stops else ""
