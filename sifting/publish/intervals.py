"""A statement and what became of it, as a row: sentence, picture, verdict; one click opens the rest. HTML."""

from collections.abc import Iterable
from html import escape
from math import isfinite

from sifting.publish.catalog import DESIGNS, Statement, number
from sifting.publish.claims import CONFIDENCE, Claim

PAD = 0.12  # of all that a picture shows, left free at each side
NEAR = 24  # percent of the width: bounds that are nearer than this share one label
LANE, MARGIN, LABEL = 12, 4, 15  # heights in pixels: of an interval, above and below them, of the labels
CAP, DOT, DIAMOND = 3.5, 4, 5.5  # half heights in pixels
MEANING = {  # verdict -> when it is given, and an interval that shows it, where an effect is to be above 0
    "holds": ("the whole interval lies where the statement says", (2, 1, 3)),
    "unclear": ("only a part of it does", (0.5, -1, 2)),
    "does not hold": ("no part of it does", (-2, -3, -1)),
}


def frame(claims: Iterable[Claim]) -> tuple[float, float]:
    """The ends of the scale on which intervals, bounds and the paper's number are all seen."""
    shown = [
        value
        for claim in claims
        for said in [claim.statement]
        for value in (claim.low, claim.estimate, claim.high, said.above, said.below, said.value)
        if isfinite(value)
    ]
    first, last = min(shown, default=0), max(shown, default=0)
    pad = PAD * (last - first or abs(first) or 1)
    return first - pad, last + pad


def picture(*claims: Claim) -> str:
    """What a statement says, shaded, and the effect with its interval, as SVG; of several, the last leads.

    It is as wide as its place: only heights and marks are in pixels. For the eye alone.
    """
    first, last = frame(claims)
    said = claims[-1].statement
    height = LANE * len(claims) + 2 * MARGIN

    def at(value: float) -> float:
        return 100 * (value - first) / (last - first)

    left, right = max(said.above, said.least, first), min(said.below, said.most, last)
    drawn = [
        f'<rect class="ground" width="100%" height="{height}"/>',
        f'<rect class="region" x="{at(left):.2f}%" width="{at(right) - at(left):.2f}%" height="{height}"/>',
    ]
    bounds = [bound for bound in (said.above, said.below) if isfinite(bound)]
    drawn += [_line("bound", at(bound), 0, at(bound), height + 3) for bound in bounds]
    drawn += [
        f'<text x="{place:.2f}%" y="{height + LABEL - 1}">{words}</text>'
        for place, words in labels([(at(bound), number(bound)) for bound in bounds])
    ]
    for lane, claim in enumerate(claims):
        y = MARGIN + LANE * (lane + 0.5)
        marks = _interval(claim, at, y)
        drawn += marks if claim is claims[-1] else ['<g class="other">', *marks, "</g>"]
    if isfinite(said.value):
        shape = f"M0 {-DIAMOND}L{DIAMOND} 0 0 {DIAMOND} {-DIAMOND} 0Z"
        place = f'x="{at(said.value):.2f}%" y="{y:g}" overflow="visible"'
        drawn.append(f'<svg class="papers" {place}><path d="{shape}"/></svg>')
    return (
        f'<svg class="interval" width="100%" height="{height + LABEL}" aria-hidden="true" focusable="false">'
        f"{''.join(drawn)}</svg>"
    )


def _interval(claim: Claim, at, y: float) -> list[str]:
    """An interval as a line, and its estimate as a dot, hollow where there is no interval."""
    if not isfinite(claim.estimate):
        return []
    known = isfinite(claim.low) and isfinite(claim.high)
    ends = (at(claim.low), at(claim.high)) if known else ()
    lines = [_line("bar", ends[0], y, ends[1], y)] if known else []
    lines += [_line("bar", end, y - CAP, end, y + CAP) for end in ends]
    style = "dot" if known else "dot hollow"
    return [*lines, f'<circle class="{style}" cx="{at(claim.estimate):.2f}%" cy="{y:g}" r="{DOT}"/>']


def _line(style: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{style}" x1="{x1:.2f}%" y1="{y1:g}" x2="{x2:.2f}%" y2="{y2:g}"/>'


def labels(ticks: list[tuple[float, str]]) -> list[tuple[float, str]]:
    """(place, words) of ticks, in percent of the width; two that would touch share one, within the width."""
    if len(ticks) == 2 and ticks[1][0] - ticks[0][0] < NEAR:
        (one, low), (other, high) = ticks
        return [(min(max((one + other) / 2, NEAR), 100 - NEAR), f"{low} to {high}")]
    return ticks


# --- in words


def chance(p: float) -> str:
    """A p in words."""
    return "–" if not isfinite(p) else f"{p:.2g}" if p >= 0.001 else "< 0.001"


def facts(claim: Claim, made: str = "", beside: Claim | None = None, other: str = "") -> str:
    """All about a statement that its row does not show, as a list; the arguments are those of `row`."""
    said = claim.statement
    p = f"; p {'' if claim.p < 0.001 else '= '}{chance(claim.p)}" if isfinite(claim.p) else ""
    interval = f", {CONFIDENCE * 100:g} % interval in brackets" if isfinite(claim.low) else ""
    told = {
        "the paper": paper(said),
        "by our statistic": escape(said.printed) + _small(said.value_from),
        "measured": escape(said.effect) + (f", in {escape(said.unit)}" if said.unit else ""),
        "here": f"<strong>{escape(claim.ours)}</strong>{interval}{escape(p)}",
    }
    if beside:
        change = f"{claim.estimate - beside.estimate:+.3g}".replace("-", "−").replace("+nan", "–")
        told |= {other: escape(beside.ours), "difference": f"{change}{said.unit and ' '}{escape(said.unit)}"}
    test = f"{said.design}: {DESIGNS[said.design]}" + "; over images, too" * said.images
    told |= {"to hold": escape(said.wanted), "tested by": escape(test)}
    told |= {"to decide it": claim.forecast and f"{claim.forecast}, if mean and spread stay as they are"}
    told |= {"made from": made}
    told |= {"name": f"<code>{escape(said.key)}</code>"}
    return f"<dl>{''.join(f'<dt>{term}</dt><dd>{words}</dd>' for term, words in told.items() if words)}</dl>"


def paper(said: Statement) -> str:
    """What the paper has, and its own words, and where they stand; HTML."""
    words = escape(said.paper)
    if said.quote:
        words += f" <q>{escape(said.quote)}</q>"
    return words + _small(said.place)


def _small(words: str) -> str:
    return f" <small>{escape(words)}</small>" if words else ""


def badge(verdict: str, words: str = "") -> str:
    """A verdict, or other words for it, in its color."""
    return f'<span class="verdict {tone(verdict)}">{words or verdict}</span>'


def tone(verdict: str) -> str:
    """The style class of a verdict."""
    return verdict.replace(" ", "-")


def row(
    claim: Claim,
    made: str = "",
    before: str = "",
    cells: str = "",
    marks: str = "",
    beside: Claim | None = None,
    other: str = "",
) -> str:
    """A statement with its picture, its verdict and its value; opened, with all that is known of it.

    made   : from which runs, HTML; before : HTML that stands before it all, as a link
    cells  : HTML of more columns; marks : attributes of the row
    beside : what became of it elsewhere, drawn in gray above; other : where that is, in words
    """
    before = before and f'<span class="of">{before}</span>'
    value = escape(claim.value)
    if beside:
        value += f" <small>{other}: {beside.verdict}, {escape(beside.value)}</small>"
    return (
        f'<li class="claim {tone(claim.verdict)}"{marks}>{before}<details><summary>'
        f'<span class="said">{escape(claim.statement.text)} </span>'
        f"{picture(beside, claim) if beside else picture(claim)}"
        f'<span class="became">{badge(claim.verdict)} <span class="value">{value}</span></span>'
        f"{cells}</summary>{facts(claim, made, beside, other)}</details></li>"
    )


def listed(rows: Iterable[str], label: str, anchor: str = "", style: str = "") -> str:
    """Rows as one figure; label: what they are about; anchor: its name for links."""
    name = f' id="{anchor}"' if anchor else ""
    return (
        f'<ul class="claims{style and " "}{style}" role="list"{name} '
        f'aria-label="{escape(label, quote=True)}">{"".join(rows)}</ul>'
    )


def key() -> str:
    """What the marks of a row mean, as HTML."""
    return (
        f'<p class="claims-key">Dot and line: the effect here, with its {CONFIDENCE * 100:g} % interval, in '
        "the color of the verdict. Shaded: where it lies if the statement holds. \N{WHITE DIAMOND}: the "
        "paper's own number, where it gives one. Every row opens.</p>"
    )


def meaning() -> str:
    """Every verdict with its picture and when it is given, as HTML."""
    said = Statement("own-example", "", "", "", "", above=0)
    rows = [
        f'<li class="claim {tone(verdict)}"><div class="line"><span class="said">{words}</span>'
        f"{picture(Claim(said, *shape, ''))}<span class='became'>{badge(verdict)}</span></div></li>"
        for verdict, (words, shape) in MEANING.items()
    ]
    return listed(rows, "Verdicts")
