"""The pages *Coverage* and *Claims*: which figures there are, what became of the statements."""

import collections
import json
import math
import pathlib
from html import escape

from sifting.publish.catalog import FIGURES, statement
from sifting.publish.claims import VERDICTS, surviving
from sifting.publish.markup import grid
from sifting.publish.pages.outputs import badge, by_paper, claims_of, figure_link, outputs, warning, where

DRAWN = "shown"  # the verdict of a figure that is drawn and about which nothing is claimed


def write_coverage(book: pathlib.Path, target: pathlib.Path) -> None:
    """Write the coverage as JSON: a list of {id, status, chapter, preset, dataset, verdict}."""
    target.write_text(json.dumps(coverage(outputs(book)), indent=1) + "\n", encoding="utf-8")


def write_claims(book: pathlib.Path, target: pathlib.Path) -> None:
    """Write all claims of the book as JSON, see `ledger`."""
    target.write_text(json.dumps(ledger(outputs(book)), indent=1) + "\n", encoding="utf-8")


def ledger(shown: list[dict]) -> list[dict]:
    """One row for every statement that is tested, for machines; what is not finite is None.

    of          : paper or book; paper_value : what the paper has, in words; paper_effect : the same effect
                  there, and where it is from
    design      : see catalog.DESIGNS; images : whether the interval is over test images, too
    effect      : the estimate; interval : [low, high], at claims.CONFIDENCE, both in `unit`
    over        : what the interval is over
    holds_where : [above, below], between which the effect is to lie
    survives    : whether it is still decided when the number of all these tests is taken into account, by
                  each method of claims.surviving
    """
    claims = claims_of(shown)
    kept = {method: surviving([claim["p"] for claim in claims], method) for method in ("bh", "holm")}

    def finite(*values):
        return [value if math.isfinite(value) else None for value in values]

    rows = []
    for n, claim in enumerate(claims):
        said = statement(claim["id"], claim["name"])
        rows.append(
            {"id": said.id, "name": said.name, "of": "book" if said.own else "paper"}
            | {key: claim[key] for key in ("chapter", "preset", "dataset", "statement")}
            | {"measured": said.effect, "effect": finite(claim["estimate"])[0]}
            | {"interval": finite(claim["low"], claim["high"]), "unit": said.unit, "over": claim["over"]}
            | {"design": said.design, "images": said.images}
            | {"holds_where": finite(said.above, said.below), "p": finite(claim["p"])[0]}
            | {"survives": {method: bool(found[n]) for method, found in kept.items()}}
            | {"verdict": claim["verdict"], "paper_value": said.paper, "quote": said.quote}
            | {
                "place": said.place,
                "paper_effect": finite(said.value)[0],
                "paper_effect_from": said.value_from,
            }
        )
    return rows


def coverage(shown: list[dict]) -> list[dict]:
    """One row for every figure and table of the papers.

    status  : reproduced where a chapter drew it, else "not yet"
    verdict : the worst verdict of its claims; "shown" where nothing is claimed; None where it is not drawn
    """
    papers = [output for output in shown if not output.get("own")]
    drawn = {output["figure"]: output for output in reversed(papers) if "figure" in output}
    verdicts = collections.defaultdict(list)
    for claim in claims_of(shown):
        verdicts[claim["id"]].append(claim["verdict"])
    strangers = sorted(name for name in {*drawn, *verdicts} - {*FIGURES} if "-" not in name)  # ours have one
    if strangers:
        raise ValueError(
            f"the papers have no figure {', '.join(strangers)}; see sifting/publish/catalog/figures.py"
        )
    rows = []
    for name in FIGURES:
        place = {key: drawn.get(name, {}).get(key) for key in ("chapter", "preset", "dataset")}
        verdict = min(verdicts[name], key=VERDICTS.index) if verdicts[name] else DRAWN
        rows.append(
            {"id": name, "status": "reproduced" if name in drawn else "not yet"}
            | place
            | {"verdict": verdict if name in drawn else None}
        )
    return rows


def coverage_page(shown: list[dict]) -> str:
    """Coverage: every figure and table, where it is reproduced, and what became of its claims."""
    rows = coverage(shown)
    text = [
        "# Coverage",
        *warning(shown),
        f"{_done(rows)} figures and tables of the four papers are in the book. A figure counts once "
        "a chapter draws it from results of our own; where a curve of it is missing, or networks failed "
        "before there was anything to see, the chapter says so. Its verdict is the worst one of its "
        '[claims](claims.md). The same list for machines: <a href="../coverage.json">'
        "<code>coverage.json</code></a>.",
        _mesh(rows),
    ]
    for authors, cite, mine in by_paper(rows):
        items = "\n".join(_covered(row) for row in mine)
        text += [f"## {authors}", f"{_done(mine)} are in the book {{cite:p}}`{cite}`."]
        text += [f'<ul class="coverage">\n{items}\n</ul>']
    return "\n\n".join(text) + "\n"


def _covered(row: dict) -> str:
    name = f"<code>{row['id']}</code> {escape(FIGURES[row['id']])}"
    if not row["chapter"]:
        return f'<li><span>{name}</span><span class="verdict">not yet</span></li>'
    link = figure_link(row["id"], row["chapter"], name)
    return f'<li class="done">{link}<small>{where(row)}</small>{badge(row["verdict"])}</li>'


def _done(rows: list[dict]) -> str:
    return f"{sum(row['status'] == 'reproduced' for row in rows)} of {len(rows)}"


def _mesh(rows: list[dict]) -> str:
    """One square a figure, filled where it is reproduced: the sieve, for the eye only."""
    squares = (f'<i class="{(row["verdict"] or "not-yet").replace(" ", "-")}"></i>' for row in rows)
    return f'<div class="mesh" aria-hidden="true">{"".join(squares)}</div>'


def claims_page(shown: list[dict]) -> str:
    """Claims: each statement tested, the paper's value, ours with its interval, the verdict."""
    place = {name: n for n, name in enumerate(FIGURES)}
    claims = sorted(claims_of(shown), key=lambda claim: place.get(claim["id"], len(place)))
    ours = [claim for claim in claims if "-" in claim["id"]]
    papers = [claim for claim in claims if "-" not in claim["id"]]
    text = [
        "# Claims",
        *warning(shown),
        f"{len(papers)} tests of what the papers say: {_counted(papers)}; and {len(ours)} of statements of "
        "our own. What may hang on a choice is tested with each. A statement *holds* where the whole 95 % "
        "interval of our effect lies where the statement says, *does not hold* where the whole interval "
        "lies elsewhere, and is *unclear* where the interval has some of both: "
        "[how statements are tested](testing.md). Every test stands for itself: the intervals are not "
        "widened for their number, so that of every twenty intervals one is expected to miss the truth.",
        _survivors(ledger(shown)),
    ]
    groups = [(authors, mine) for authors, _, mine in [*by_paper(papers), ("Of our own", None, ours)] if mine]
    text += [_tally(groups)]
    link = _links(shown)
    for authors, mine in groups:
        text += [f"## {authors}", "\n".join(_claim(claim, link(claim)) for claim in mine)]
    return "\n\n".join(text) + "\n"


def verdicts(shown: list[dict]) -> str:
    """What became of the statements of the papers, in short, for a chapter to include.

    That is, how many hold, and those that do not.
    """
    theirs = [claim for claim in claims_of(shown) if "-" not in claim["id"]]
    papers = [(authors, mine) for authors, _, mine in by_paper(theirs) if mine]
    text = [
        f"Of {len(theirs)} tests of what the papers say, {_counted(theirs)}. What may hang on a choice is "
        "tested with each.",
        _tally(papers),
    ]
    link = _links(shown)
    for authors, mine in papers:
        if failed := [claim for claim in mine if claim["verdict"] == VERDICTS[0]]:
            boxes = "\n".join(_claim(claim, link(claim)) for claim in failed)
            head = f"{authors}: {len(failed)} of {len(mine)} do not hold"
            text += [f"<details><summary>{head}</summary>\n{boxes}\n</details>"]
    return "\n\n".join(text) + "\n"


def _survivors(rows: list[dict]) -> str:
    """How many tests are decided, and how many of them still are, given their number."""
    decided = [row for row in rows if row["verdict"] != "unclear"]
    bh, holm = (sum(row["survives"][method] for row in decided) for method in ("bh", "holm"))
    return (
        f"{len(decided)} of these {len(rows)} tests are decided. If at most one in twenty of the decisions "
        f"is to be wrong on average, {bh} remain (Benjamini and Hochberg); if the chance that any of them is "
        f"wrong is to be one in twenty, {holm} remain (Holm). "
        'All of them for machines: <a href="../claims.json"><code>claims.json</code></a>.'
    )


def _counted(claims: list[dict]) -> str:
    """How many claims have each verdict, in words."""
    counts = collections.Counter(claim["verdict"] for claim in claims)
    words = {"holds": "hold", "unclear": "are unclear", "does not hold": "do not hold"}
    return (
        ", ".join(f"{counts[verdict]} {word}" for verdict, word in words.items() if counts[verdict])
        or "none yet"
    )


def _tally(groups: list[tuple[str, list[dict]]]) -> str:
    """A table: of every paper and preset, how many statements there are of each verdict."""
    rows = []
    for authors, claims in groups:
        for preset in dict.fromkeys(claim["preset"] for claim in claims):
            counts = collections.Counter(claim["verdict"] for claim in claims if claim["preset"] == preset)
            rows.append([authors, preset, *(str(counts[verdict]) for verdict in reversed(VERDICTS))])
    return grid(["statements of", "preset", *reversed(VERDICTS)], rows, "What became of them")


def _links(shown: list[dict]):
    """The function that links a claim to the figure that it is about.

    The link leads to a chapter that draws it: to that of the claim, where it does.
    """
    drawn = collections.defaultdict(list)
    for output in shown:
        drawn[output.get("figure")].append(output["chapter"])

    def link(claim: dict) -> str:
        chapters = drawn[claim["id"]]
        chapter = claim["chapter"] if claim["chapter"] in chapters or not chapters else chapters[0]
        return figure_link(claim["id"], chapter)

    return link


def _claim(claim: dict, link: str) -> str:
    """A claim in its box."""
    here = (
        f"{escape(claim['effect'])}: <strong>{escape(claim['ours'])}</strong> "
        f"<small>to hold: {claim['wanted']} · {where(claim)}</small>"
    )
    return (
        f'<div class="claim {claim["verdict"].replace(" ", "-")}"><p>{badge(claim["verdict"])} '
        f"{link}: {escape(claim['statement'])}</p>"
        f"<dl><dt>the paper</dt><dd>{escape(claim['paper'])}</dd><dt>here</dt><dd>{here}</dd></dl></div>"
    )
