"""Gaussians fitted to counts of displacements, of many units at once: for locality.rf_width."""

import numpy as np


def widths(values: np.ndarray, points: int = 25, rounds: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """sigma_x and sigma_y of the Gaussian that fits best, on finer and finer grids.

    values : (units, rows, columns), 0 at d = 0
    """
    values, cells = _folded(_folded(values, 1), 2), values[0].size - 1
    rows, columns = values.shape[1:]
    low, high = np.log([[0.3, 0.3]]), np.log([[5.0 * columns, 5.0 * rows]])  # one for all, then each its own
    limits, each = (low, high), np.arange(len(values))
    for _ in range(rounds):
        sigma = np.linspace(low, high, points)  # (points, units, 2), logarithms
        squares = [np.arange(size) ** 2 / 2 for size in (columns, rows)]
        variances = np.exp(2 * sigma).transpose(2, 1, 0)[..., None]  # x and y, units, points, 1
        x, y = (np.exp(-square / variance) for square, variance in zip(squares, variances))
        best = _explained(values, x, y, cells).reshape(len(values), -1).argmax(1)
        places = np.stack([best % points, best // points], 1)
        step = (high - low) / (points - 1)
        middle = np.stack([sigma[places[:, n], each % len(low), n] for n in (0, 1)], 1)
        low, high = np.maximum(middle - step, limits[0]), np.minimum(middle + step, limits[1])
        points = 7
    return tuple(np.exp(middle).T)


def _folded(values: np.ndarray, axis: int) -> np.ndarray:
    """Values at d and -d along an axis as one, which is enough for a Gaussian: d = 0 comes first."""
    values = np.moveaxis(values, axis, 0)
    middle = len(values) // 2
    found = values[middle:].copy()
    found[1:] += values[:middle][::-1]
    return np.moveaxis(found, 0, axis)


def _explained(values: np.ndarray, x: np.ndarray, y: np.ndarray, cells: int) -> np.ndarray:
    """Sum of squares that A g + B explains with the best A, B >= 0, for every g = y x.

    values : (units, rows, columns), `_folded`; x, y: (units, or 1 for all, points, columns or rows)
    cells  : those of S(d) where g is fitted: g(0) is left out

    returns : (units, ys, xs)
    """
    total = values.sum((1, 2))[:, None, None]
    product = y @ values @ x.swapaxes(1, 2)
    ones, squares = ([2 * part.sum(2) - 1 for part in (y**power, x**power)] for power in (1, 2))
    first, square = (below[:, :, None] * beside[:, None] - 1 for below, beside in (ones, squares))
    together, spread = product - first * total / cells, square - first**2 / cells
    amplitude = together / np.maximum(spread, 1e-12)
    raised = total * square > product * first  # B > 0
    flat = total**2 / cells
    explained = np.where(raised, flat + amplitude * together, product**2 / np.maximum(square, 1e-12))
    return np.where(amplitude > 0, explained, flat)
