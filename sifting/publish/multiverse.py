"""Headline statements tested under every combination of choices, and what may be called robust.

A statement is robust where the same verdict, that it holds or that it does not, has MOST of the cells that
count, and the opposite verdict none. A cell counts where nearly all units have a value, and where there is
something to compare: not where the effect is 0 in every run, as between equal masks.
"""

import dataclasses
import math

import numpy as np

from sifting import figures
from sifting.publish import live
from sifting.publish.catalog import Statement, statement
from sifting.publish.claims import SEVERAL, VERDICTS, Claim, check
from sifting.publish.markup import grid
from sifting.tables.basics import NEARLY_ALL, Groups, pooled
from sifting.tables.choices import Cell, Grid
from sifting.tables.multiverse import AGAIN, HEADLINES, choices, runs_of
from sifting.tables.words import number

MOST = 0.9  # of the cells that count
OPPOSITE = {VERDICTS[0]: VERDICTS[2], VERDICTS[2]: VERDICTS[0]}


@dataclasses.dataclass(frozen=True)
class Multiverse:
    """A statement under every combination of choices.

    claims : row -> a claim (or None) a column; counts : row -> whether it counts, a column
    """

    statement: Statement
    grid: Grid
    claims: dict[str, list[Claim | None]]
    counts: dict[str, list[bool]]

    @property
    def book(self) -> Claim:
        """The book's own test; of nothing, where no unit has a value."""
        label, column = self.grid.book
        return self.claims[label][column] or _test(self.statement, self.statement.unit, NOTHING)

    @property
    def shares(self) -> dict[str, float]:
        """Verdict -> share of the cells that count; nan where none does."""
        found = [
            claim.verdict
            for label, row in self.claims.items()
            for claim, counts in zip(row, self.counts[label])
            if counts
        ]
        return {name: found.count(name) / len(found) if found else math.nan for name in VERDICTS}

    @property
    def size(self) -> int:
        """How many cells count."""
        return sum(map(sum, self.counts.values()))

    @property
    def robust(self) -> str:
        """The verdict that is robust; "" where none is."""
        shares = self.shares
        return next(
            (name for name, other in OPPOSITE.items() if shares[name] >= MOST and not shares[other]), ""
        )

    @property
    def turns(self) -> bool:
        """Whether it holds under some choices and does not under others."""
        return all(self.shares[name] > 0 for name in OPPOSITE)

    @property
    def opposed(self) -> bool:
        """Whether the book's own test is decided, and more than 1 - MOST of the cells say the opposite."""
        return self.shares.get(OPPOSITE.get(self.book.verdict), 0) > 1 - MOST

    @property
    def said(self) -> str:
        """Robust or not, in words."""
        if self.robust:
            return f"robust: {self.robust}"
        if not self.turns:
            return "not robust: unclear too often"
        held, not_held = (f"{self.shares[name]:.0%}".replace("%", " %") for name in OPPOSITE)
        return f"not robust: {held} of the cells hold, {not_held} do not"


def tested(groups: Groups) -> dict[str, Multiverse]:
    """Every headline of tables.multiverse under all its choices: key in the catalog -> the result.

    groups : "CHAPTER: GROUP" -> runs
    """
    return {key: under(statement(*key.split(".")), choices(groups, key)) for key in HEADLINES}


def under(said: Statement, table: Grid) -> Multiverse:
    """A statement under the choices of a grid: of every cell claims.check, by the statement's own bounds."""
    claims, counts = {}, {}
    for row in table.rows:
        claims[row.label] = [cell and _test(said, row.unit, cell) for cell in row.cells]
        counts[row.label] = [
            cell is not None and cell.measured >= NEARLY_ALL and not cell.same for cell in row.cells
        ]
    return Multiverse(said, table, claims, counts)


NOTHING = Cell(np.array([np.nan]))


def _test(said: Statement, unit: str, cell: Cell) -> Claim:
    """A cell tested as the statement, by its own design. In another unit, an effect may lie anywhere."""
    mine = dataclasses.replace(said, design=cell.design, arms=(), images=cell.values.ndim == 2, over="")
    if unit != said.unit:
        mine = dataclasses.replace(mine, unit=unit, least=-math.inf, most=math.inf)
    return check(mine, cell.values, cell.against)


# --- on the page


def summary(found: dict[str, Multiverse]) -> list[dict]:
    """For figures.multiverse.summary: of every statement text, shares, number of cells, verdicts."""
    return [
        {"text": one.statement.text, "key": key, "shares": one.shares, "cells": one.size}
        | {"book": one.book.verdict, "robust": one.robust, "said": one.said}
        for key, one in found.items()
    ]


def shares(found: dict[str, Multiverse]) -> dict[str, np.ndarray]:
    """Verdict -> the share of the cells of every statement of which any counts."""
    counted = [one.shares for one in found.values() if one.size]
    return {verdict: np.array([one[verdict] for one in counted]) for verdict in VERDICTS}


HEAD = ("statement", "cells", *SEVERAL.values(), "the book's test", "robust")


def rows(found: dict[str, Multiverse]) -> list[list[str]]:
    """Rows of words: of every statement what HEAD names."""
    return [
        [
            one.statement.text,
            str(one.size),
            *(_share(one, name) for name in SEVERAL),
            one.book.verdict,
            one.said,
        ]
        for one in found.values()
    ]


def _share(one: Multiverse, verdict: str) -> str:
    """The share of the cells with a verdict in words."""
    return f"{number(100 * one.shares[verdict], 0)} %"


def counts(found: dict[str, Multiverse]) -> dict[str, int]:
    """How many statements there are, are robust, have cells of both verdicts, and how many cells count."""
    ones = found.values()
    return {
        "statements": len(ones),
        "robust": sum(bool(one.robust) for one in ones),
        "turn": sum(one.turns for one in ones),
        "cells": sum(one.size for one in ones),
        "alone": sum(_alone(one) for one in ones),
    }


def _alone(one: Multiverse) -> bool:
    """Whether the book's own test is decided, and more cells have the opposite verdict than have its own."""
    other = OPPOSITE.get(one.book.verdict)
    return bool(other) and one.shares[other] > one.shares[one.book.verdict]


def cells(one: Multiverse) -> dict:
    """For figures.multiverse.grid: columns, and rows of (verdict or None, whether it counts)."""
    rows = {
        label: [(claim and claim.verdict, counts) for claim, counts in zip(row, one.counts[label])]
        for label, row in one.claims.items()
    }
    return {"over": one.grid.over, "columns": one.grid.columns, "rows": rows, "book": one.grid.book}


def draw(page, found: dict[str, Multiverse], key: str, name: str) -> None:
    """The grid of a statement on a page, and folded below it effect, interval and n of every cell.

    name : of the figure
    """
    one = found[key]
    shares = ", ".join(f"{_share(one, verdict)} {words}" for verdict, words in SEVERAL.items())
    caption = (
        f"<em>{one.statement.text}</em> {one.size} cells count: {shares}. <strong>{one.said}</strong>. "
        f"Outlined: the book's own test ({one.book.verdict}). The design of the book: {one.grid.design}."
    )
    page.show(name, figures.multiverse.grid, cells(one), caption, runs=pooled(runs_of(page.groups, key)))
    table = grid(["choice", *one.grid.columns], _rows(one), f"{one.statement.text} Effect, interval, n")
    record = {"key": key, "robust": one.robust, "opposed": one.opposed}
    live.publish(
        {
            "text/html": f"<details><summary>{name}: every cell in numbers</summary>{table}</details>",
            "text/plain": "\n".join(" | ".join(row) for row in _rows(one)),
        },
        {"sifting": {"table": f"{name}: every cell in numbers", "multiverse": record}},
    )


def panels(cells: dict[str, dict[str, Cell]]) -> list[dict]:
    """For figures.multiverse.again, a panel a headline of AGAIN that all of them have.

    cells : what differs, as "other images" -> key in the catalog -> the cell of the book's test
    """
    return [
        {"of": of, "what": what, "effects": {name: _effects(key, some[key]) for name, some in cells.items()}}
        for key, (of, what) in AGAIN.items()
        if all(key in some for some in cells.values())
    ]


def _effects(key: str, cell: Cell) -> tuple:
    """The effect in each run; their mean, or the difference of two, and the ends of its interval."""
    said = statement(*key.split("."))
    claim = _test(said, said.unit, cell)
    return cell.effects, claim.estimate, claim.low, claim.high


def _rows(one: Multiverse) -> list[list[str]]:
    """Rows of words: the choice, and of every cell verdict, effect with interval, and n."""
    return [
        [label, *(_cell(*pair) for pair in zip(row, one.counts[label]))] for label, row in one.claims.items()
    ]


def _cell(claim: Claim | None, counts: bool) -> str:
    if claim is None:
        return "–"
    words = f"{claim.verdict}: {claim.ours}"
    return words if counts else f"({words})"
