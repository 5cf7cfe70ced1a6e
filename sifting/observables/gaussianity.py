"""How far preactivations are from Gaussian, and what each weight has to do with it.

For numpy arrays, and for torch tensors alike.
"""

import numpy as np

GAUSSIAN = 3  # kurtosis of a Gaussian
LEAST = 3  # inputs of a unit: with one or two, nothing is left of it when a weight goes
CHUNK = 2048  # images at a time; bounds the memory
SAME = 4  # units in the last place of a number: values that differ by no more are the same number


def constant(values):
    """Which columns say the same of all images, up to rounding.

    Their mean is off in its last digit, so that the deviations from it are not 0 but one tiny number.

    values  : (images, units), floats
    returns : (units,), bool
    """
    kind = str(values.dtype).removeprefix("torch.")
    return (abs(values - values[:1]) <= SAME * np.finfo(kind).eps * abs(values[:1])).all(0)


def kurtosis(values):
    """E[(v - m)^4] / E[(v - m)^2]^2 of every column: 3 for a Gaussian; nan for a constant, see `constant`.

    values  : (images, units), floats
    returns : (units,)

    Source: Redman et al. 2024, equation 4.
    """
    centered = values - values.mean(0)
    square = centered * centered
    variance = square.mean(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = (square * square).mean(0) / (variance * variance)
    found[constant(values) & (variance > 0)] = float("nan")  # where it is 0 they are nan already
    return found


def cavity(x, weights):
    """The cavity score of every weight: how much less Gaussian its unit is without it.

        score_j = s (K_without_j - K) / K        K: kurtosis of the preactivation; s = 1 where K > 3, else -1

    The moments of the preactivation without w_j x_j are polynomials in w_j, see `moments`.

    x       : (images, inputs) of the layer, float64 for scores that are exact
    weights : (units, inputs), 0 where pruned
    returns : scores (units, inputs), nan where w = 0, in units with fewer than LEAST inputs and in those of
              constant inputs alone; the same to first order in w_j, which sum to 0 in a unit, as K does not
              depend on the scale of w; K (units,)

    Source: Redman et al. 2024, equation 5.
    """
    lx, l2x2, l3x, lx3, x2, x4, l2, l4 = moments(x, weights)
    w = weights
    with np.errstate(invalid="ignore", divide="ignore"):
        before = l4 / l2**2
        without2 = l2 - 2 * w * lx + w**2 * x2
        without4 = l4 - 4 * w * l3x + 6 * w**2 * l2x2 - 4 * w**3 * lx3 + w**4 * x4
        sign = 2 * (before > GAUSSIAN) - 1
        scores = sign * (without4 / without2**2 / before - 1)
        linear = sign * 4 * w * (lx / l2 - l3x / l4)
    undefined = (w == 0) | ((w != 0).sum(1) < LEAST)[:, None]
    scores[undefined] = linear[undefined] = float("nan")
    return scores, linear, before[:, 0]


def moments(x, weights):
    """Means over images of products of inputs x and preactivations l = w x, both centered.

    x, weights : as of `cavity`
    returns    : <l x>, <l^2 x^2>, <l^3 x>, <l x^3> (units, inputs), four matrix products;
                 <x^2>, <x^4> (inputs,); <l^2>, <l^4> (units, 1)
    """
    mean, same, sums = x.mean(0), constant(x), [0] * 8
    for start in range(0, len(x), CHUNK):
        x1 = x[start : start + CHUNK] - mean
        x1[:, same] = 0
        l1, x2 = x1 @ weights.T, x1 * x1
        l2 = l1 * l1
        products = l1.T @ x1, l2.T @ x2, (l2 * l1).T @ x1, l1.T @ (x2 * x1)
        squares = x2.sum(0), (x2 * x2).sum(0), l2.sum(0)[:, None], (l2 * l2).sum(0)[:, None]
        sums = [total + part for total, part in zip(sums, products + squares)]
    return [total / len(x) for total in sums]


def by_removal(scores: np.ndarray, removed_at: np.ndarray, level: int, levels: int) -> dict[str, np.ndarray]:
    """Scores of the weights kept at `level`, by the level at which they will be removed.

    scores     : (units, inputs), nan where undefined
    removed_at : (units, inputs), whole numbers: the level of removal; above `levels`: never
    returns    : arrays (levels + 2,), entry f for the weights that go at level f, the last for those that
                 stay: count, of the weights with a score; mean, median and positive, the share of positive
                 ones, of these scores, nan where there are none
    """
    found = {name: np.full(levels + 2, np.nan) for name in ("mean", "median", "positive")}
    found["count"] = np.zeros(levels + 2)
    fate = np.minimum(removed_at.astype(int), levels + 1)
    for number in range(level + 1, levels + 2):
        mine = scores[(fate == number) & np.isfinite(scores)]
        found["count"][number] = len(mine)
        if len(mine):
            found["mean"][number], found["median"][number] = mine.mean(), np.median(mine)
            found["positive"][number] = (mine > 0).mean()
    return found


def matched(scores: np.ndarray, size: np.ndarray, bins: int = 50) -> np.ndarray:
    """What the scores would be if they depended on the size of the weight alone.

    Each is the mean score of the weights of about its size.

    scores, size : (units, inputs); nan scores take no part
    bins         : groups of equally many weights, by size
    returns      : as scores
    """
    expected, there = np.full(scores.shape, np.nan), np.isfinite(scores)
    order = np.argsort(size[there], kind="stable")
    values, result = scores[there], np.empty(int(there.sum()))
    for group in np.array_split(order, bins):
        if len(group):
            result[group] = values[group].mean()
    expected[there] = result
    return expected
