"""Statements of the papers, tested: effect, interval over seeds, verdict."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

VERDICTS = ("does not hold", "unclear", "holds")  # worst first
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Claim:
    """One statement of a paper and what became of it here.

    effect          : what was measured, in words, so that the statement says it is above `threshold`
    estimate        : its mean; low, high: the confidence interval (CONFIDENCE)
    over            : what the interval is over, as "3 seeds"
    """

    id: str
    statement: str
    paper: str
    effect: str
    estimate: float
    low: float
    high: float
    threshold: float
    unit: str
    over: str

    @property
    def verdict(self) -> str:
        """holds: the whole interval is above the threshold; does not hold: none of it is; else unclear."""
        if self.low > self.threshold:
            return "holds"
        return "does not hold" if self.high < self.threshold else "unclear"

    @property
    def ours(self) -> str:
        """The value with its interval, in words."""
        unit = f" {self.unit}" if self.unit else ""
        interval = f" [{_short(self.low)}, {_short(self.high)}]" if np.isfinite(self.low) else ""
        return f"{_short(self.estimate)}{unit}{interval}, {self.over}"


def check(
    id: str,
    statement: str,
    paper: str,
    effect: str,
    values,
    threshold: float = 0.0,
    unit: str = "",
    error: float | None = None,
) -> Claim:
    """Test whether an effect lies above `threshold`.

    values : the effect in each seed; the interval is Student's t over them
    error  : for one run: the standard error of the effect over its units; then the interval is normal

    A single value without an error has no interval, and its verdict is "unclear". Raises ValueError
    where there are no values. Shown on the page Claims.
    """
    values = np.atleast_1d(np.asarray(values, float))
    if not len(values) or np.isnan(values).all():
        raise ValueError(f"claim {id} has no values: {statement}")
    values = values[~np.isnan(values)]
    estimate, over = float(values.mean()), f"{len(values)} seed{'s' * (len(values) > 1)}"
    if len(values) > 1:
        half = stats.t.ppf(0.5 + CONFIDENCE / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    elif error is not None and np.isfinite(error):
        half, over = stats.norm.ppf(0.5 + CONFIDENCE / 2) * error, "1 seed, interval over its units"
    else:
        half = np.inf
    return Claim(
        id,
        statement,
        paper,
        effect,
        estimate,
        estimate - float(half),
        estimate + float(half),
        threshold,
        unit,
        over,
    )


def _short(value: float) -> str:
    """Three significant digits, with a sign that is a minus."""
    return f"{value:.3g}".replace("-", "−") if abs(value) < 1000 else f"{value:.0f}".replace("-", "−")
