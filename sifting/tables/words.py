"""Numbers in words."""

import numpy as np


def number(value: float, digits: int = 1, sign: bool = False) -> str:
    """A number with so many decimals, and a minus that is no hyphen; a dash for nan.

    sign : with a plus, too
    """
    plus = "+" if sign else ""
    return f"{value:{plus}z.{digits}f}".replace("-", "−") if np.isfinite(value) else "–"


def percent(ratio: float) -> str:
    """A share of the weights in words, as 7.5 %."""
    return f"{100 * ratio:g} %"


def share(ratio: float) -> str:
    """A share in percent with two significant digits: 0.0138 is 1.4 %."""
    return f"{100 * ratio:.2g} %" if ratio < 0.995 else "100 %"


def rows(table: list[tuple]) -> list[list[str]]:
    """A table in words: whole numbers with commas between the thousands, words as they are."""
    return [[f"{cell:,}" if isinstance(cell, int) else cell for cell in row] for row in table]


def around(values: np.ndarray, scale: float = 1.0, digits: int = 1, unit: str = "") -> str:
    """Mean ± standard deviation over runs, in words; a dash where a run has none."""
    sd = f" ± {number(scale * values.std(ddof=1), digits)}" if len(values) > 1 else ""
    return number(scale * values.mean(), digits) + sd + unit if np.isfinite(values).all() else "–"


def spread(values: np.ndarray) -> str:
    """Differences of accuracy in words, in points: the lowest and the highest over runs."""
    low, high = (number(100 * value, sign=True) for value in (values.min(), values.max()))
    return low if low == high else f"{low} to {high}"
