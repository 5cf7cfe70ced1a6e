"""How many connections each unit and each pixel keeps."""

import numpy as np
import scipy


def in_degree(mask: np.ndarray) -> np.ndarray:
    """C_in_j = sum_i m_ij: kept inputs of each unit.

    mask    : bool (units, inputs)
    returns : int (units,)

    Source: Pellegrini & Biroli 2022, section 3. Drawn by figures.curves.in_degree.
    """
    return mask.sum(1)


def out_degree(mask: np.ndarray) -> np.ndarray:
    """C_out_i = sum_j m_ij: kept connections out of each input.

    mask    : bool (units, inputs)
    returns : int (inputs,)

    Source: Pellegrini & Biroli 2022, section 3. Drawn by figures.maps.out_degree.
    """
    return mask.sum(0)


def binomial(mask: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Expected number of units at each in-degree in `counts`, as many weights kept at random.

    mask : bool (units, inputs). Source: Pellegrini & Biroli 2022, section 4: B(inputs, density).
    """
    units, inputs = mask.shape
    return units * scipy.stats.binom.pmf(counts, inputs, mask.mean())


def degree_excess(mask: np.ndarray) -> float:
    """Variance of the in-degree over that of random pruning at the same density, n u (1 - u).

    1 for random masks, larger for a heavy tail; nan where nothing or everything is kept.
    """
    units, inputs = mask.shape
    density = mask.mean()
    expected = inputs * density * (1 - density)
    return float(in_degree(mask).var(ddof=1) / expected) if expected else float("nan")


def tail(mask: np.ndarray, quantile: float = 0.99) -> float:
    """Share of units with more inputs than `quantile` of the units of random pruning have.

    Of random masks, 1 - quantile or less, for counts are whole numbers. What lies below the mean has no part
    in it, as it has in `degree_excess`. Source: Pellegrini & Biroli 2022, section 4: B(inputs, density).
    """
    most = scipy.stats.binom.ppf(quantile, mask.shape[1], mask.mean())
    return float((in_degree(mask) > most).mean())


def rewire(mask: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A random mask with the in-degree of every unit and the out-degree of every input kept.

    Two units at a time pool the inputs that only one of them has and deal them out again, each as
    many as it had. Source: the curveball algorithm, Strona et al. 2014.
    """
    mask = mask.copy()
    alive = np.flatnonzero(mask.any(1))
    for _ in range(5 * len(alive) if len(alive) > 1 else 0):
        one, two = (mask[unit] for unit in generator.choice(alive, 2, replace=False))
        apart = (one ^ two).nonzero()[0]
        dealt, count = generator.permutation(apart), np.count_nonzero(one[apart])
        one[dealt[:count]] = two[dealt[count:]] = True
        one[dealt[count:]] = two[dealt[:count]] = False
    return mask


def jackknife(measure, mask: np.ndarray, groups: int = 10) -> np.ndarray:
    """Standard error over units of a number, or of each of several, computed from a mask.

    measure : function of a mask (units, inputs) -> number or array; called once for every group left out
    groups  : the units are dealt out to as many groups; each is left out in turn

    Source: Efron & Stein 1981, delete-a-group jackknife.
    """
    left = np.array([measure(np.delete(mask, np.s_[n::groups], axis=0)) for n in range(groups)])
    return np.sqrt((groups - 1) / groups * ((left - left.mean(0)) ** 2).sum(0))
