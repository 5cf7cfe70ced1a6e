"""Statements, tested: effect, interval over seeds, verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite

import numpy as np
from scipy import optimize, stats

from sifting.publish.catalog import Statement

VERDICTS = ("does not hold", "unclear", "holds")  # worst first
SEVERAL = {"holds": "hold", "unclear": "are unclear", "does not hold": "do not hold"}  # verdicts of several
SINGLE = {"unclear": "is unclear"}  # the same of one, where it is more than the verdict
CONFIDENCE = 0.95
MOST_SEEDS = 100  # that a forecast looks at
MEASURED = ("estimate", "low", "high", "p", "seeds")  # what a page keeps of a claim


def verb(verdict: str, count: int) -> str:
    """What is said of so many statements with a verdict: 3 "hold", 1 "is unclear"."""
    return SINGLE.get(verdict, verdict) if count == 1 else SEVERAL[verdict]


def counted(counts: Mapping[str, int]) -> list[str]:
    """How many statements have each verdict, in words, as "3 hold"; without verdicts that none has."""
    return [f"{count} {verb(verdict, count)}" for verdict, count in counts.items() if count]


@dataclass(frozen=True)
class Claim:
    """A statement and what became of it here.

    estimate  : the mean effect; low, high: its confidence interval (CONFIDENCE)
    over      : what the interval is over, as "3 seeds"
    p         : two-sided p of the hypothesis that the effect lies on the bound of the statement that is
                nearest to it; nan without an interval, and where all runs have one and the same value.
                Below 1 - CONFIDENCE where the verdict is decided
    seeds     : of what is unclear over seeds: about how many of each kind of runs would decide it, see
                `_seeds`; else nan
    """

    statement: Statement
    estimate: float
    low: float
    high: float
    over: str
    p: float = np.nan
    seeds: float = np.nan

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
        return f"{self._said(self.estimate)}{unit and ' '}{unit}"

    @property
    def interval(self) -> str:
        """The ends of the interval in brackets, in words; "" where there is none."""
        known = isfinite(self.low) and self.low < self.high
        return f"[{self._said(self.low)}, {self._said(self.high)}]" if known else ""

    @property
    def ours(self) -> str:
        """The value with its interval, in words; and whether its last digit hides where a bound lies."""
        if np.isnan(self.estimate):
            return self.value
        interval = self.interval and f" {self.interval}"
        return f"{self.value}{interval}, {self.over}{self._hidden}"

    @property
    def told(self) -> str:
        """The same for a sentence, which goes on behind it: what belongs to the value is in brackets."""
        if np.isnan(self.estimate):
            return self.value
        return f"{self.value} ({self._ends}{self.over}{self._hidden})"

    @property
    def course(self) -> str:
        """Which way a growth goes, and by how much: "falls by 0.2 (3 seeds)"."""
        if np.isnan(self.estimate):
            return self.value
        if self.estimate >= 0:
            return f"grows by {self.told}"
        size = replace(self, estimate=-self.estimate, low=-self.high, high=-self.low)
        return f"falls by {size.value} ({size._ends}{self.over}{self._hidden})"

    @property
    def _ends(self) -> str:
        ends = self.interval[1:-1].replace(", ", " to ")
        return f"{CONFIDENCE:.0%} interval {ends}; ".replace("%", " %") if ends else ""

    @property
    def _hidden(self) -> str:
        return "; an end of the interval is at the bound, to the last digit" if self.close else ""

    @property
    def record(self) -> dict:
        """What a page keeps of it: which statement, and what was measured; None for what JSON cannot hold."""
        found = {name: getattr(self, name) for name in MEASURED}
        finite = {name: value if isfinite(value) else None for name, value in found.items()}
        return {"id": self.statement.id, "name": self.statement.name, "over": self.over} | finite

    def __str__(self):
        said = self.statement
        return f"{self.verdict}: {said.text} Paper: {said.theirs}. Here: {said.effect}: {self.ours}"

    @property
    def close(self) -> bool:
        """Whether an end of the interval and a bound are less than one in the last printed digit apart.

        Then the verdict hangs on what nobody would print, and may turn with the next seed.
        """
        bounds = {self.statement.above, self.statement.below} - {self.statement.least, self.statement.most}
        pairs = [(end, bound) for end in (self.low, self.high) for bound in bounds]
        one = 10.0**-self._decimals
        return isfinite(self.low) and self.low < self.high and any(abs(end - to) < one for end, to in pairs)

    @property
    def forecast(self) -> str:
        """How many seeds would decide what is unclear, in words; "" where that is not known."""
        if self.verdict != "unclear" or np.isnan(self.seeds):
            return ""
        seeds = f"about {self.seeds:.0f}" if self.seeds <= MOST_SEEDS else f"more than {MOST_SEEDS}"
        return f"{seeds} seeds" + " of each kind" * (self.statement.design == "two samples")

    def _said(self, number: float) -> str:
        return f"{number:z.{max(self._decimals, 0)}f}".replace("-", "−")

    @property
    def _decimals(self) -> int:
        """Decimals that show two digits of half the interval; of the value three where there is none.

        There is none, either, where runs differ in the last bits of single precision only.
        """
        half, rounding = (self.high - self.low) / 2, 1e-6 * abs(self.estimate)
        digits, scale = (2, half) if isfinite(half) and half > rounding else (3, abs(self.estimate))
        return digits - 1 - int(np.floor(np.log10(scale))) if scale else 0


def check(statement: Statement, values, against=None, error: float | None = None) -> Claim:
    """Test whether an effect lies where a statement says, by the design that its record names.

    one sample  : values, the effect in each run; Student's t over them
    paired      : values, against : the same in runs of one and the other kind that have their dense network
                  in common, in one order; Student's t over the differences
    two samples : values, against : of independent runs; the difference of the means, Student's t with a
                  common standard deviation; either may be of one run
    units       : values, one number; error, its standard error over its units, or what statement.over says;
                  normal
    exact       : values, one number without error

    Where statement.images is true, values and against have a row for the images as they are, and more
    for images that were drawn anew from them (tables.predictions.redrawn). The interval over images is
    normal, with the standard deviation over those of the mean over runs; its half and that of the interval
    over runs are added as squares (Zou & Donner 2008), so that neither can make it narrower.

    A single value without an error has no interval, and without any value there is no effect: the verdict is
    "unclear". Raises ValueError for what does not fit the design, so that it is the record that chooses.
    Shown on the page Claims.
    """
    _check_design(statement, values, against, error)
    groups, drawn = _groups(statement, values, against)
    sizes = [group.size for group in groups]
    over = " against ".join(f"{size} seed{'s' * (size != 1)}" for size in sizes)
    over += " and the held-out images" * statement.images + ", paired" * (statement.design == "paired")
    estimate, half, p, seeds = np.nan, inf, np.nan, np.nan
    if min(sizes):
        means = [group.mean() for group in groups]
        estimate = means[0] - sum(means[1:])
        away = min(abs(estimate - bound) for bound in (statement.above, statement.below))
        freedom = sum(sizes) - len(sizes)
        if statement.design in ("units", "exact"):
            over = "exact" if error is None else "1 seed, interval over its units"
            spread, law = error or 0.0, stats.norm
        elif freedom:
            variance = sum(((group - group.mean()) ** 2).sum() for group in groups) / freedom
            spread, law = np.sqrt(variance * sum(1 / n for n in sizes)), stats.t(freedom)
        else:
            spread, law = np.nan, stats.norm
        if isfinite(spread):
            half = _half(1 - CONFIDENCE, spread, law, drawn)
            # where all of several runs have one value, there is no law to test by
            alike = freedom and not spread
            p = np.nan if alike else _p(away, spread, law, drawn)
            if freedom and min(sizes) > 1 and not statement.over:
                seeds = _seeds(away, np.sqrt(variance), len(sizes), drawn)
    low, high = (estimate - half, estimate + half) if min(sizes) else (-inf, inf)
    if isfinite(half):
        low, high = max(low, statement.least), min(high, statement.most)
    return Claim(statement, float(estimate), float(low), float(high), statement.over or over, float(p), seeds)


def _half(level: float, spread, law, drawn: float):
    """Half of the interval that misses with a chance of `level`: of runs, by their law, and of images."""
    return np.hypot(law.isf(level / 2) * spread, stats.norm.isf(level / 2) * drawn)


def _p(away: float, spread: float, law, drawn: float) -> float:
    """The level whose interval just reaches a bound that is so far away: closed where there are no images."""
    if not drawn:
        return float(2 * law.sf(away / spread)) if spread else float(away == 0)
    least = 1e-16  # at a smaller level the quantile of t is no longer a number
    if away >= _half(least, spread, law, drawn):
        return 0.0
    return float(optimize.brentq(lambda level: _half(level, spread, law, drawn) - away, least, 1, xtol=1e-12))


def _seeds(away: float, deviation: float, groups: int, drawn: float) -> int:
    """The least number of runs in each group whose interval would not reach a bound that is so far away.

    That is, if their mean and standard deviation stayed as they are; a larger one for more than MOST_SEEDS.
    """
    counts = np.arange(2, MOST_SEEDS + 1)
    spread, law = deviation * np.sqrt(groups / counts), stats.t(groups * (counts - 1))
    enough = counts[_half(1 - CONFIDENCE, spread, law, drawn) < away]
    return int(enough[0]) if enough.size else MOST_SEEDS + 1


def _check_design(statement: Statement, values, against, error: float | None) -> None:
    """Raise ValueError for what the design of a statement does not take, and where it lacks something."""
    design, key = statement.design, statement.key
    if (against is not None) != (design in ("paired", "two samples")):
        raise ValueError(f"{key} is tested by {design}: {'drop' if against is not None else 'give'} against=")
    if (error is not None) != (design == "units"):
        raise ValueError(f"{key} is tested by {design}: {'drop' if error is not None else 'give'} error=")
    if design in ("units", "exact") and np.size(values) != 1:
        raise ValueError(f"{key} is tested by {design}: that takes a single value, not {np.size(values)}")
    dimensions = {np.ndim(group) for group in (values, against) if group is not None}
    if (dimensions == {2}) != statement.images or len(dimensions) > 1 and statement.images:
        raise ValueError(f"{key}: images={statement.images} of the record is not how it was measured")


def _groups(statement: Statement, values, against) -> tuple[list[np.ndarray], float]:
    """The groups whose means are compared, each the effect in its runs; standard deviation over test images.

    Runs without a value are left out, and with them those that they are paired with.
    """
    groups = [np.atleast_1d(np.asarray(group, float)) for group in (values, against) if group is not None]
    if statement.design == "paired":
        one, other = groups
        if one.shape != other.shape:
            raise ValueError(f"{statement.key} is paired, but {one.shape} and {other.shape} are no pairs")
        groups = [one - other]
    rows = [np.atleast_2d(group) for group in groups]
    rows = [group[:, ~np.isnan(group[0])] for group in rows]
    drawn = 0.0
    if statement.images and all(group.size for group in rows):
        means = [np.nanmean(group[1:], 1) for group in rows]
        drawn = float(np.std(means[0] - sum(means[1:]), ddof=1))
    return [group[0] for group in rows], drawn


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
