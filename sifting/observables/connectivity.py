"""How many connections each unit and each pixel keeps."""

import numpy as np
from scipy import stats


def in_degree(mask: np.ndarray) -> np.ndarray:
    """C_in_j = sum_i m_ij: kept inputs of each unit.

    mask    : bool (units, inputs)
    returns : int (units,)

    Source: Pellegrini & Biroli 2022, section 3. Drawn by figures.in_degree.
    """
    return mask.sum(1)


def out_degree(mask: np.ndarray) -> np.ndarray:
    """C_out_i = sum_j m_ij: kept connections out of each input. mask : bool (units, inputs); returns (inputs,).

    Source: Pellegrini & Biroli 2022, section 3. Drawn by figures.out_degree.
    """
    return mask.sum(0)


def binomial(mask: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Expected number of units at each in-degree in `counts` if the same number of weights were kept at random.

    mask : bool (units, inputs). Source: Pellegrini & Biroli 2022, section 4: B(inputs, density).
    """
    units, inputs = mask.shape
    return units * stats.binom.pmf(counts, inputs, mask.mean())


def degree_excess(mask: np.ndarray) -> float:
    """Variance of the in-degree over that of random pruning at the same density, n u (1 - u).

    1 for random masks, larger for a heavy tail; nan where nothing or everything is kept.
    """
    units, inputs = mask.shape
    density = mask.mean()
    expected = inputs * density * (1 - density)
    return float(in_degree(mask).var(ddof=1) / expected) if expected else float("nan")


def jackknife(measure, mask: np.ndarray, groups: int = 10) -> float:
    """Standard error over units of a number computed from a mask.

    measure : function of a mask (units, inputs) -> number; called once for every group left out
    groups  : the units are dealt out to as many groups; each is left out in turn

    Source: Efron & Stein 1981, delete-a-group jackknife.
    """
    left = [measure(np.delete(mask, np.s_[n::groups], axis=0)) for n in range(groups)]
    return float(np.sqrt((groups - 1) / groups * ((np.array(left) - np.mean(left)) ** 2).sum()))
