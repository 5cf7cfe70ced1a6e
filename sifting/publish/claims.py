"""Statements of the papers, tested: effect, interval over seeds, verdict."""

from dataclasses import dataclass
from math import inf, isfinite

import numpy as np
from scipy import stats

VERDICTS = ("does not hold", "unclear", "holds")  # worst first
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Claim:
    """One statement of a paper and what became of it here.

    effect          : what was measured, in words
    estimate        : its mean; low, high: the confidence interval (CONFIDENCE)
    above, below    : the statement says that the effect lies between them
    over            : what the interval is over, as "3 seeds"
    """

    id: str
    statement: str
    paper: str
    effect: str
    estimate: float
    low: float
    high: float
    above: float
    below: float
    unit: str
    over: str

    def _ipython_display_(self) -> None:
        """Nothing: the page has shown it already."""

    @property
    def verdict(self) -> str:
        """holds: the whole interval lies between above and below; does not hold: none of it does; else unclear."""
        if self.above < self.low and self.high < self.below:
            return "holds"
        return "does not hold" if self.high < self.above or self.low > self.below else "unclear"

    @property
    def ours(self) -> str:
        """The value with its interval, and what was to be shown, in words."""
        if np.isnan(self.estimate):
            return "nothing to measure"
        low, value, high, *_ = alike(self.low, self.estimate, self.high, self.above, self.below)
        interval = f" [{low}, {high}]" if isfinite(self.low) and self.low < self.high else ""
        return f"{value}{self.unit and ' '}{self.unit}{interval}, {self.over}"

    @property
    def wanted(self) -> str:
        """Where the effect lies if the statement holds, in words."""
        above, below = (f"{bound:g}".replace("-", "−") for bound in (self.above, self.below))
        if isfinite(self.above) and isfinite(self.below):
            return f"between {above} and {below}"
        return f"above {above}" if isfinite(self.above) else f"below {below}"


def check(
    id: str,
    statement: str,
    paper: str,
    effect: str,
    values,
    against=None,
    error: float = np.nan,
    over: str = "",
    above: float = 0.0,
    below: float = inf,
    unit: str = "",
    within: float = inf,
    least: float = -inf,
) -> Claim:
    """Test whether an effect lies between `above` and `below`; for absence name both, as -0.05 and 0.05.

    values  : the effect in each seed; the interval is Student's t over them
    against : the same in the seeds of another group: the effect is then the difference of the means,
              its interval Student's t with a common standard deviation; a group may be of one seed

    error   : for a single value: its standard error, over its units unless `over` says otherwise; the interval is normal. 0 for what is exact
    over    : what there are several of, where it is not seeds
    within  : largest absolute value that the effect can have, where an interval ends: 1 for correlations; 100 for all points
    least   : smallest value that it can have: 0 for barriers

    A single value without an error has no interval, and without any value there is no effect: the
    verdict is "unclear". Raises ValueError for an error of several values, which it cannot be used for.
    Shown on the page Claims.
    """
    if isfinite(error) and (against is not None or np.size(values) != 1):
        raise ValueError("an error over units is for a single value")
    groups = [_present(group) for group in ([values] if against is None else [values, against])]
    sizes = [len(group) for group in groups]
    seeds = " against ".join(f"{size} seed{'s' * (size != 1)}" for size in sizes)
    estimate, half = np.nan, inf
    if min(sizes):
        means = [group.mean() for group in groups]
        estimate = means[0] - sum(means[1:])
        freedom = sum(sizes) - len(sizes)
        if freedom:
            variance = sum(((group - group.mean()) ** 2).sum() for group in groups) / freedom
            half = stats.t.ppf(0.5 + CONFIDENCE / 2, freedom) * np.sqrt(variance * sum(1 / n for n in sizes))
        elif isfinite(error):
            half, seeds = stats.norm.ppf(0.5 + CONFIDENCE / 2) * error, "1 seed, interval over its units"
    low, high = (estimate - half, estimate + half) if min(sizes) else (-inf, inf)
    if isfinite(half):
        most = 100 if unit == "points" else within
        low, high = max(low, -most, least), min(high, most)
    return Claim(
        id,
        statement,
        paper,
        effect,
        float(estimate),
        float(low),
        float(high),
        above,
        below,
        unit,
        over or seeds,
    )


def _present(values) -> np.ndarray:
    values = np.atleast_1d(np.asarray(values, float))
    return values[~np.isnan(values)]


def alike(*values: float) -> list[str]:
    """Numbers that belong together, with as many decimals as the smallest distance between them needs to be seen."""
    finite = np.unique([value for value in values if isfinite(value)])
    scale = np.diff(finite).min() if len(finite) > 1 else np.abs(finite).max(initial=0)
    decimals = max(0, 1 - int(np.floor(np.log10(scale)))) if scale else 2
    return [f"{value:z.{min(decimals, 6)}f}".replace("-", "−") for value in values]
