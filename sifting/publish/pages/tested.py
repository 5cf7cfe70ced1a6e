"""The page *Claims*: what became of the statements."""

import collections
import json
import math
import pathlib
from html import escape

from sifting.publish.catalog import FIGURES, statement
from sifting.publish.claims import MOST_SEEDS, SEVERAL, VERDICTS, counted, surviving, verb
from sifting.publish.intervals import chance, key, listed, meaning, row
from sifting.publish.markup import chooser, grid
from sifting.publish.pages.made import WIDE
from sifting.publish.pages.outputs import by_paper, claims_of, figure_link, outputs, warning, where

METHODS = {"bh": "Benjamini-Hochberg", "holm": "Holm"}  # columns of Claims, see claims.surviving
HEAD = (
    '<li class="head" aria-hidden="true"><span><span>statement</span><span>effect here</span>'
    "<span>verdict</span><span>p</span><span>BH</span><span>Holm</span></span></li>"
)
CHOICES = {
    "paper": {"all": "all papers"},
    "verdict": {"all": "all verdicts", "sorted": [*reversed(VERDICTS)]},
    "chapter": {"all": "all chapters"},
}
ORDERS = {
    "by paper and figure": None,
    "by p, smallest first": ["p", 1],
    "by p, largest first": ["p", -1],
    "by verdict": ["rank", 1],
    "unclear ones by seeds that would decide them, fewest first": ["seeds", 1],
}
FORECASTS = {
    5: "at most 5",
    10: "6 to 10",
    MOST_SEEDS: f"11 to {MOST_SEEDS}",
    math.inf: f"more than {MOST_SEEDS}",
}


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
    seeds       : about how many would decide what is unclear, see claims.Claim
    holds_where : [above, below], between which the effect is to lie
    survives    : whether it is still decided when the number of all these tests is taken into account, by
                  each method of claims.surviving
    """
    claims = claims_of(shown)
    kept = {method: surviving([claim["p"] for claim in claims], method) for method in METHODS}

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
            | {"seeds": finite(claim["seeds"])[0] if claim["claim"].forecast else None}
            | {"survives": {method: bool(found[n]) for method, found in kept.items()}}
            | {"verdict": claim["verdict"], "paper_value": said.paper, "quote": said.quote}
            | {"place": said.place, "paper_effect": finite(said.value)[0]}
            | {"paper_effect_from": said.value_from}
        )
    return rows


def claims_page(shown: list[dict]) -> str:
    """Claims: each statement tested, the paper's value, ours with its interval, the verdict."""
    rows = ledger(shown)
    claims = [claim | {"survives": row["survives"]} for claim, row in zip(claims_of(shown), rows)]
    place = {name: n for n, name in enumerate(FIGURES)}
    claims.sort(key=lambda claim: place.get(claim["id"], len(place)))
    ours = [claim for claim in claims if "-" in claim["id"]]
    papers = [claim for claim in claims if "-" not in claim["id"]]
    text = [
        WIDE + "# Claims",
        *warning(shown),
        f"{len(papers)} tests of what the papers say: {verdicts_of(papers)}; and {len(ours)} of statements "
        "of our own. What may hang on a choice is tested with each; the interval is over seeds unless it "
        "says otherwise: [how statements are tested](testing.md). Every test stands for itself: the "
        "intervals are not widened for their number, so that of every twenty intervals one is expected to "
        "miss the truth.",
        _survivors(rows),
        *_undecided([claim for claim in papers if claim["verdict"] == "unclear"]),
    ]
    groups = [(authors, mine) for authors, _, mine in [*by_paper(papers), ("Of our own", None, ours)] if mine]
    text += [_tally(groups), key() + meaning(), chooser("statements", CHOICES, ORDERS)]
    link, seen = links(shown), set()
    for authors, mine in groups:
        found = [HEAD, *(_claim(claim, link(claim), seen, authors) for claim in mine)]
        text += [f"## {authors}", listed(found, f"Statements: {authors}", style="led ledger choosable")]
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


def _undecided(unclear: list[dict]) -> list[str]:
    """How many seeds would decide what the papers say and runs here left open; nothing without any."""
    if not unclear:
        return []
    known = [claim["seeds"] for claim in unclear if claim["claim"].forecast]
    counts, least = [], 0
    for most, words in FORECASTS.items():
        counts.append(f"{words} seeds for {sum(least < seeds <= most for seeds in known)} of them")
        least = most
    return [
        f"Of the tests of what the papers say, {len(unclear)} {verb('unclear', len(unclear))}. If mean and "
        f"spread stayed as they are with these seeds, more seeds would decide them: {', '.join(counts)}. "
        f"Not tested over seeds: {len(unclear) - len(known)}."
    ]


def verdicts_of(claims: list[dict]) -> str:
    """How many claims have each verdict, in words."""
    counts = collections.Counter(claim["verdict"] for claim in claims)
    return ", ".join(counted({verdict: counts[verdict] for verdict in SEVERAL})) or "none yet"


def _tally(groups: list[tuple[str, list[dict]]]) -> str:
    """A table: of every paper and preset, how many statements there are of each verdict."""
    rows = []
    for authors, claims in groups:
        for preset in dict.fromkeys(claim["preset"] for claim in claims):
            counts = collections.Counter(claim["verdict"] for claim in claims if claim["preset"] == preset)
            rows.append([authors, preset, *(str(counts[verdict]) for verdict in reversed(VERDICTS))])
    return grid(["statements of", "preset", *reversed(VERDICTS)], rows, "What became of them")


def links(shown: list[dict]):
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


def _claim(claim: dict, link: str, seen: set, authors: str) -> str:
    """A row of Claims: with p, what survives, and what a reader may sort and filter it by.

    seen : figures that have a row; the first row of each is an anchor
    """
    cells = {"p": chance(claim["p"])}
    cells |= {name: "yes" if claim["survives"][method] else "no" for method, name in METHODS.items()}
    cells = "".join(f"<span><small>{name} </small>{escape(words)}</span>" for name, words in cells.items())
    anchor = f' id="{claim["id"]}"' * (claim["id"] not in seen)
    seen.add(claim["id"])
    p = claim["p"] if math.isfinite(claim["p"]) else ""
    seeds = claim["seeds"] if claim["claim"].forecast else ""
    rank = VERDICTS.index(claim["verdict"])
    marks = (
        f'{anchor} data-chapter="{claim["chapter"]}" data-p="{p}" data-paper="{escape(authors)}" '
        f'data-verdict="{claim["verdict"]}" data-rank="{rank}" data-seeds="{seeds}"'
    )
    return row(claim["claim"], where(claim), link, f'<span class="columns">{cells}</span>', marks)
