"""How far preactivations are from Gaussian, and what each weight has to do with it. For numpy arrays, and for torch tensors alike."""

import numpy as np

GAUSSIAN = 3  # kurtosis of a Gaussian
LEAST = 3  # inputs of a unit: with one or two, nothing is left of it when a weight goes
CHUNK = 2048  # images at a time; bounds the memory


def kurtosis(values):
    """E[(v - m)^4] / E[(v - m)^2]^2 of every column: 3 for a Gaussian; nan for a constant.

    values  : (images, units), floats
    returns : (units,)

    Source: Redman et al. 2024, equation 4.
    """
    centered = values - values.mean(0)
    square = centered * centered
    variance = square.mean(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (square * square).mean(0) / (variance * variance)


def cavity(x, weights):
    """The cavity score of every weight: how much less Gaussian its unit becomes without it, relative to its kurtosis K.

        score_j = s (K_without_j - K) / K        s = 1 where K > 3, else -1

    Positive: removing the weight moves the kurtosis away from 3. The literal definition computes all preactivations
    of a unit anew for every weight. Here they are expanded in the weight, with l = sum_j w_j x_j, all centered:

        variance without j:       m2 - 2 w <l x> + w^2 <x^2>
        4th moment without j:     m4 - 4 w <l^3 x> + 6 w^2 <l^2 x^2> - 4 w^3 <l x^3> + w^4 <x^4>

    so that four matrix products give the scores of all weights.

    x       : (images, inputs), the inputs of the layer, float64 for scores that are exact
    weights : (units, inputs), 0 where pruned
    returns : scores (units, inputs); the same to first order in the weight, whose sum over a unit is 0, for K does not
              depend on the scale of the weights; and the kurtosis of every unit. Scores are nan where the weight is 0 and
              in units with fewer than three inputs

    Source: Redman et al. 2024, equation 5.
    """
    count, mean = len(x), x.mean(0)
    cubes, squares, lines, mixed = 0, 0, 0, 0  # <l^3 x>, <l^2 x^2>, <l x>, <l x^3>
    second, fourth, m2, m4 = 0, 0, 0, 0
    for start in range(0, count, CHUNK):
        part = x[start : start + CHUNK] - mean
        l1, x2 = part @ weights.T, part * part
        l2 = l1 * l1
        lines = lines + l1.T @ part
        cubes = cubes + (l2 * l1).T @ part
        squares = squares + l2.T @ x2
        mixed = mixed + l1.T @ (x2 * part)
        second, fourth = second + x2.sum(0), fourth + (x2 * x2).sum(0)
        m2, m4 = m2 + l2.sum(0), m4 + (l2 * l2).sum(0)
    lines, cubes, squares, mixed = lines / count, cubes / count, squares / count, mixed / count
    second, fourth, m2, m4 = second / count, fourth / count, m2[:, None] / count, m4[:, None] / count
    w = weights
    with np.errstate(invalid="ignore", divide="ignore"):
        before = m4 / m2**2
        without2 = m2 - 2 * w * lines + w**2 * second
        without4 = m4 - 4 * w * cubes + 6 * w**2 * squares - 4 * w**3 * mixed + w**4 * fourth
        sign = 2 * (before > GAUSSIAN) - 1
        scores = sign * (without4 / without2**2 / before - 1)
        linear = sign * 4 * w * (lines / m2 - cubes / m4)
    kept = w != 0
    undefined = ~kept | (kept.sum(1) < LEAST)[:, None]
    scores[undefined] = linear[undefined] = float("nan")
    return scores, linear, before[:, 0]


def by_removal(scores: np.ndarray, removed_at: np.ndarray, level: int, levels: int) -> dict[str, np.ndarray]:
    """Scores of the weights kept at `level`, by the level at which they will be removed.

    scores     : (units, inputs), nan where undefined
    removed_at : (units, inputs), whole numbers: the level of removal; above `levels`: never
    returns    : arrays (levels + 2,), entry f for the weights that go at level f, the last for those that stay: number of
                 weights with a score, and mean, median and share of positive ones among these scores; nan where there are none
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
    """What the scores would be if they depended on the size of the weight alone: each the mean score of the weights of about its size.

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
