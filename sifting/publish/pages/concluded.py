"""What came out in the end: a few findings, and the papers' statements by strength of evidence.

Both are parts of pages, for a chapter to include.
"""

import collections
import re
from html import escape

from sifting.publish.catalog import Finding, findings
from sifting.publish.claims import VERDICTS, verb
from sifting.publish.intervals import badge, listed, row, tone
from sifting.publish.pages.outputs import by_paper, claims_of, where
from sifting.publish.pages.tested import ledger, links, verdicts_of

# how sure a verdict is, surest first -> when it is so sure
STRENGTHS = {
    "strong": "it survives Holm's correction for the number of all tests, or the multiverse calls it robust",
    "good": "it survives the correction of Benjamini and Hochberg",
    "weak": "its own interval alone decides, or more than a tenth of the multiverse says the opposite",
    "open": "the interval reaches to both sides",
}


def weighed(shown: list[dict]) -> list[dict]:
    """The claims, each with its key in the catalog and its strength, a key of STRENGTHS."""
    said = {of["key"]: of for output in shown if (of := output.get("multiverse"))}
    found = []
    for claim, line in zip(claims_of(shown), ledger(shown)):
        key = claim["claim"].statement.key
        strength = _strength(claim["verdict"], line["survives"], said.get(key, {}))
        found.append(claim | {"key": key, "strength": strength})
    return found


def _strength(verdict: str, survives: dict[str, bool], multiverse: dict) -> str:
    if verdict == "unclear":
        return "open"
    if multiverse.get("opposed"):
        return "weak"
    if survives["holm"] or multiverse.get("robust") == verdict:
        return "strong"
    return "good" if survives["bh"] else "weak"


def findings_page(shown: list[dict], folded: bool = False) -> str:
    """The findings of the catalog with what was measured, and folded below each the tests it rests on.

    A finding of which a test came out otherwise than it takes it to have says so.

    folded : whether what was measured is folded with the tests: for a reader who does not know the measures
    """
    claims, link = {claim["key"]: claim for claim in weighed(shown)}, links(shown)
    items = "".join(_finding(one, claims, link, folded) for one in findings())
    key = _key() * (folded and bool(claims))
    nothing = (
        "" if claims else "<p>No chapter has been drawn here yet: <code>make</code> draws all of them.</p>\n"
    )
    return f'{nothing}<ol class="findings">{items}</ol>\n{key}'


def _key() -> str:
    """What the words for how sure a verdict is mean; HTML."""
    words = "; ".join(f"<em>{name}</em>: {when}" for name, when in STRENGTHS.items())
    words = words.replace("the multiverse", '<a href="multiverse.html">the multiverse</a>', 1)
    words = words.replace("survives", '<a href="testing.html">survives</a>', 1)
    return (
        f"<p>How sure the verdict of a test is. {words}. "
        "The multiverse repeats a test under other choices of the analysis.</p>\n"
    )


def _finding(one: Finding, claims: dict[str, dict], link, folded: bool) -> str:
    tests = [claims[key] for key in one.tests if key in claims]
    rows = [row(claim["claim"], where(claim), link(claim)) for claim in tests]
    counts = collections.Counter(claim["strength"] for claim in tests)
    sure = ", ".join(f"{counts[name]} {name}" for name in STRENGTHS if counts[name]) or "not drawn here yet"
    turned = "".join(
        f'<p class="warning">Not so here: {escape(claim["statement"])} {badge(claim["verdict"])}</p>'
        for claim in tests
        if claim["verdict"] != one.tests[claim["key"]]
    )
    title = f"<strong>{escape(one.title)}</strong> {escape(one.plain)}".strip()
    text = _filled(one.text, claims)
    tests = listed(rows, one.title, style="led")
    if folded:
        summary, told, inside = f"In numbers, and the tests: {sure}", title, f"<p>{text}</p>{tests}"
    else:
        summary, told, inside = f"What it rests on: {sure}", f"{title} {text}", tests
    return f"<li><p>{told}</p>{turned}<details><summary>{summary}</summary>{inside}</details></li>"


def _filled(text: str, claims: dict[str, dict]) -> str:
    """A sentence with what was measured, and its interval, where it has {ID.NAME}; HTML."""

    def measured(match: re.Match) -> str:
        if (found := claims.get(match[1])) is None:
            return "<em>not tested yet</em>"
        claim = found["claim"]
        interval = claim.interval and f" <small>{claim.interval}</small>"
        return f'<span class="measured">{escape(claim.value)}{interval}</span>'

    return re.sub(r"{([^}]*)}", measured, escape(text))


def verdicts(shown: list[dict]) -> str:
    """The papers' statements: how many hold, are open, and do not hold, by strength, and which."""
    theirs = [claim for claim in weighed(shown) if "-" not in claim["id"]]
    text = [
        f"Of {len(theirs)} tests of what the papers say, {verdicts_of(theirs)}. Where a result may "
        "depend on a choice that a paper leaves open, it is tested with every choice. How sure a verdict is:",
        "\n".join(f"- *{name}*: {words};" for name, words in STRENGTHS.items()).removesuffix(";") + ".",
    ]
    surest, link = list(STRENGTHS), links(shown)
    for authors, _, mine in by_paper(theirs):
        text += [f"**{authors}**", _bar(authors, mine)] if mine else []
        mine.sort(key=lambda claim: surest.index(claim["strength"]))
        for verdict in reversed(VERDICTS):
            if some := [claim for claim in mine if claim["verdict"] == verdict]:
                head = f"{len(some)} of {len(mine)} {verb(verdict, len(some))}"
                rows = (
                    row(claim["claim"], where(claim), f"{link(claim)}<br>{claim['strength']}")
                    for claim in some
                )
                found = listed(rows, f"{authors}: {head}", style="led")
                text += [f"<details><summary>{head}</summary>{found}</details>"]
    return "\n\n".join(text) + "\n"


def _bar(authors: str, claims: list[dict]) -> str:
    """The statements of a paper as a bar: those that hold from the left, those that do not from the right."""
    counts = collections.Counter((claim["verdict"], claim["strength"]) for claim in claims)
    inward = [(verdict, strength) for verdict in VERDICTS[:0:-1] for strength in STRENGTHS]
    inward += [(VERDICTS[0], strength) for strength in reversed(STRENGTHS)]
    parts = [(*part, counts[part]) for part in inward if counts[part]]
    words = [
        f"{count} {verb(verdict, count)}" + f", {strength}" * (verdict != "unclear")
        for verdict, strength, count in parts
    ]
    drawn = (
        f'<i class="{tone(verdict)} {strength}" style="flex-grow: {count}" title="{said}">{count}</i>'
        for (verdict, strength, count), said in zip(parts, words)
    )
    return (
        f'<div class="weighed" role="img" aria-label="{authors}: {"; ".join(words)}">{"".join(drawn)}</div>'
    )
