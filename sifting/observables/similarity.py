"""How alike masks are: by chance, of two units, and of units that feed the same one."""

import functools

import numpy as np
import scipy

from sifting.observables.locality import same_counts


@functools.cache
def chance_jaccard(kept: int, others: int, size: int) -> float:
    """Mean Jaccard index of two sets, of `kept` and of `others` of `size` things, drawn at random.

        sum over h of  P(h) h / (kept + others - h)

    h is how many they share, and its law hypergeometric. With many things and the same share u of them in
    both it is about u / (2 - u). Terms beyond ten standard deviations are left out. 1 for two empty sets.
    """
    if not kept + others:
        return 1.0
    mean = kept * others / size
    reach = 1 + 10 * np.sqrt(mean * (size - kept) * (size - others) / (size * max(1, size - 1)))
    low, high = max(0, kept + others - size, mean - reach), min(kept, others, mean + reach)
    shared = np.arange(int(low), int(high) + 1)
    chances = scipy.stats.hypergeom.pmf(shared, size, kept, others)
    return float((chances * shared / (kept + others - shared)).sum())


def center_distance(mask: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Distance between the centers of the masks of every two units, in pixels.

    The center is the mean place of the kept inputs, of all channels together.

    mask    : bool (units, inputs), inputs in the order channel, height, width
    returns : float (units, units); nan for units without inputs
    """
    centers, _ = _moments(mask, shape)
    return scipy.spatial.distance.cdist(centers, centers)


def _moments(mask: np.ndarray, shape: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Of the kept inputs of each unit: mean place (units, 2), and mean square of it (units,)."""
    places = np.indices(shape[1:]).reshape(2, -1).T
    counts = mask.reshape(len(mask), shape[0], -1).sum(1)
    with np.errstate(invalid="ignore"):
        share = counts / counts.sum(1, keepdims=True)
    return share @ places, share @ (places**2).sum(1)


def radius(mask: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Radius of gyration: root mean square distance of a unit's inputs from their center.

    returns : float (units,), in pixels; 0 for a single place, nan for units without inputs

    Drawn by figures.hierarchy.growth.
    """
    centers, square = _moments(mask, shape)
    return np.sqrt(np.maximum(square - (centers**2).sum(1), 0))


def form_similarity(mask: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Likeness of form of the masks of every two units, wherever they lie.

    The cosine between their S_sc(d); the pairs of an input with itself, d = 0, are left out.

    returns : float (units, units) in [0, 1]; nan for units without two inputs in one channel
    """
    pairs = same_counts(mask, shape).astype(float)
    pairs[:, shape[1] - 1, shape[2] - 1] = 0
    flat = pairs.reshape(len(mask), -1)
    with np.errstate(invalid="ignore"):
        flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    return flat @ flat.T


def overlap(mask: np.ndarray) -> np.ndarray:
    """Jaccard index of the masks of every two units, (units, units); nan where both are empty."""
    numbers = mask.astype(float)
    both, size = numbers @ numbers.T, numbers.sum(1)
    with np.errstate(invalid="ignore"):
        return both / (size[:, None] + size - both)


def fed_together(mask: np.ndarray, values: np.ndarray) -> float:
    """Mean of values[i, k] over all pairs of inputs i, k that one unit keeps, i != k.

    mask   : bool (units, inputs); a unit with n inputs weighs as n (n - 1)
    values : (inputs, inputs); pairs with nan are left out

    Its null is the same number for observables.connectivity.rewire(mask). Drawn by figures.hierarchy.feeding.
    """
    numbers = mask.astype(float)
    pairs = numbers.T @ numbers
    np.fill_diagonal(pairs, 0)
    pairs[np.isnan(values)] = 0
    total = pairs.sum()
    return float((pairs * np.nan_to_num(values)).sum() / total) if total else float("nan")
