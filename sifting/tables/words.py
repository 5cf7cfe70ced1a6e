"""Numbers in words."""

import numpy as np


def percent(ratio: float) -> str:
    """A share of the weights in words, as 7.5 %."""
    return f"{100 * ratio:g} %"


def around(values: np.ndarray, scale: float = 1.0, digits: int = 1, unit: str = "") -> str:
    """Mean ± standard deviation over runs, in words."""
    sd = f" ± {scale * values.std(ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{scale * values.mean():z.{digits}f}{sd}{unit}".replace("-", "−")


def spread(values: np.ndarray) -> str:
    """Differences of accuracy in words, in points: the lowest and the highest over runs."""
    low, high = (f"{100 * value:+.1f}".replace("-", "−") for value in (values.min(), values.max()))
    return low if low == high else f"{low} to {high}"
