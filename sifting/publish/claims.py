"""Statements, tested: effect, interval over seeds, verdict."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite

import numpy as np
from scipy import stats

from sifting.publish.catalog import Statement

VERDICTS = ("does not hold", "unclear", "holds")  # worst first
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Claim:
    """A statement and what became of it here.

    estimate  : the mean effect; low, high: its confidence interval (CONFIDENCE)
    over      : what the interval is over, as "3 seeds"
    p         : two-sided p of the hypothesis that the effect lies on the bound of the statement that is
                nearest to it; nan without an interval. Below 1 - CONFIDENCE where the verdict is decided
    """

    statement: Statement
    estimate: float
    low: float
    high: float
    over: str
    p: float = np.nan

    @property
    def verdict(self) -> str:
        """holds: the whole interval is where the statement says; does not hold: none; else unclear."""
        above, below = self.statement.above, self.statement.below
        if above < self.low and self.high < below:
            return "holds"
        return "does not hold" if self.high < above or self.low > below else "unclear"

    @property
    def value(self) -> str:
        """The estimate with its unit, in words."""
        if np.isnan(self.estimate):
            return "nothing to measure"
        unit = self.statement.unit
        return f"{self._numbers[1]}{unit and ' '}{unit}"

    @property
    def ours(self) -> str:
        """The value with its interval, and what that is over, in words."""
        if np.isnan(self.estimate):
            return self.value
        low, _, high = self._numbers
        interval = f" [{low}, {high}]" if isfinite(self.low) and self.low < self.high else ""
        return f"{self.value}{interval}, {self.over}"

    @property
    def record(self) -> dict:
        """What a page keeps of it: which statement, and what was measured; None for what JSON cannot hold."""
        found = {name: getattr(self, name) for name in ("estimate", "low", "high", "p")}
        finite = {name: value if isfinite(value) else None for name, value in found.items()}
        return {"id": self.statement.id, "name": self.statement.name, "over": self.over} | finite

    def __str__(self):
        said = self.statement
        return f"{self.verdict}: {said.text} Paper: {said.paper}. Here: {said.effect}: {self.ours}"

    @property
    def _numbers(self) -> list[str]:
        """Interval and estimate, in words: low, estimate, high."""
        return alike(self.low, self.estimate, self.high, self.statement.above, self.statement.below)[:3]


def check(statement: Statement, values, against=None, error: float = np.nan) -> Claim:
    """Test whether an effect lies where a statement says.

    values  : the effect in each seed; the interval is Student's t over them
    against : the same in the seeds of another group: the effect is then the difference of the means,
              its interval Student's t with a common standard deviation; a group may be of one seed
    error   : for a single value: its standard error, over its units unless statement.over says otherwise; the
              interval is normal. 0 for what is exact

    A single value without an error has no interval, and without any value there is no effect: the verdict is
    "unclear". Raises ValueError for an error of several values, which it cannot be used for.
    Shown on the page Claims.
    """
    if isfinite(error) and (against is not None or np.size(values) != 1):
        raise ValueError("an error over units is for a single value")
    groups = [_present(group) for group in ([values] if against is None else [values, against])]
    sizes = [len(group) for group in groups]
    seeds = " against ".join(f"{size} seed{'s' * (size != 1)}" for size in sizes)
    estimate, half, p = np.nan, inf, np.nan
    if min(sizes):
        means = [group.mean() for group in groups]
        estimate = means[0] - sum(means[1:])
        away = min(abs(estimate - bound) for bound in (statement.above, statement.below))
        freedom = sum(sizes) - len(sizes)
        if freedom:
            variance = sum(((group - group.mean()) ** 2).sum() for group in groups) / freedom
            spread, law = np.sqrt(variance * sum(1 / n for n in sizes)), stats.t(freedom)
        elif isfinite(error):
            spread, law, seeds = error, stats.norm, "1 seed, interval over its units"
        if freedom or isfinite(error):
            half = law.ppf(0.5 + CONFIDENCE / 2) * spread
            p = 2 * law.sf(away / spread) if spread else float(away == 0)
    low, high = (estimate - half, estimate + half) if min(sizes) else (-inf, inf)
    if isfinite(half):
        low, high = max(low, statement.least), min(high, statement.most)
    return Claim(statement, float(estimate), float(low), float(high), statement.over or seeds, float(p))


def surviving(p: Sequence[float], method: str) -> np.ndarray:
    """Which of many tests are still decided when their number is taken into account; nan: it is not.

    method : "holm", the chance of any wrong one is at most 1 - CONFIDENCE (Holm 1979); or "bh", the expected
             share of wrong ones among them is (Benjamini & Hochberg 1995, for tests that are independent or
             positively dependent)
    """
    p = np.asarray(p, float)
    known = np.isfinite(p)
    order, count = np.argsort(p[known]), known.sum()
    ranks = np.arange(1, count + 1)
    level = 1 - CONFIDENCE
    if method == "holm":
        number = np.append(p[known][order] > level / (count + 1 - ranks), True).argmax()
    else:
        number = (ranks * (p[known][order] <= level * ranks / max(count, 1))).max(initial=0)
    found = np.zeros(len(p), bool)
    found[np.flatnonzero(known)[order[:number]]] = True
    return found


def _present(values) -> np.ndarray:
    values = np.atleast_1d(np.asarray(values, float))
    return values[~np.isnan(values)]


def alike(*values: float) -> list[str]:
    """Numbers that belong together, with the decimals that the smallest distance between them needs."""
    finite = np.unique([value for value in values if isfinite(value)])
    scale = np.diff(finite).min() if len(finite) > 1 else np.abs(finite).max(initial=0)
    decimals = max(0, 1 - int(np.floor(np.log10(scale)))) if scale else 2
    return [f"{value:z.{min(decimals, 6)}f}".replace("-", "−") for value in values]
