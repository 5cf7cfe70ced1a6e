"""How local masks are: the displacements between kept inputs, and three numbers made of them."""

import functools

import numpy as np
from scipy import fft

CHUNK = 256  # units transformed at a time; bounds the memory
EXACT = 4096  # pixels of a mask, up to which single precision counts pairs exactly


def displacement_counts(mask: np.ndarray, shape: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """S(d): for every unit, how many ordered pairs of kept inputs lie at each displacement d.

        S_sc = sum_c AC(m_c)        S_dc = AC(sum_c m_c) - S_sc        AC: 2-D autocorrelation

    mask    : bool (units, inputs), inputs in the order channel, height, width
    shape   : (channels, height, width)
    returns : S_sc (same channel) and S_dc (different channels), int32
              (units, 2 height - 1, 2 width - 1), d = (0, 0) in the middle: exact counts, by FFT

    Raises ValueError where the inputs are not channels * height * width. Source: Pellegrini & Biroli
    2022, section 3. Differs: their code stops counting after 1e7 pairs. Drawn by figures.maps.locality.
    """
    same = _same(mask, shape)
    every = _same(mask.reshape(len(mask), shape[0], -1).sum(1), (1, *shape[1:]))
    return same, every - same


def _same(mask: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """S_sc of every unit."""
    channels, height, width = shape
    if mask.ndim != 2 or mask.shape[1] != channels * height * width:
        raise ValueError(f"mask {mask.shape} does not have {channels} x {height} x {width} inputs")
    images = mask.reshape(-1, channels, height, width)
    parts = [images[n : n + CHUNK] for n in range(0, len(images), CHUNK)]
    return np.concatenate([_autocorrelation(part) for part in parts])


def _autocorrelation(images: np.ndarray) -> np.ndarray:
    """Over the last two axes, zero outside, d = 0 in the middle, summed over the channels before them; exact for whole numbers."""
    height, width = images.shape[-2:]
    size = (fft.next_fast_len(2 * height - 1, real=True), fft.next_fast_len(2 * width - 1, real=True))
    # rounding is far below 1/2 in single precision, too, where few are counted
    few = images.dtype == bool and np.prod(images.shape[-3:]) <= EXACT
    spectrum = fft.rfft2(images.astype(np.float32 if few else np.float64), s=size)
    full = fft.irfft2((spectrum.real**2 + spectrum.imag**2).sum(-3), s=size)
    full = np.concatenate([full[..., 1 - height :, :], full[..., :height, :]], -2)
    full = np.concatenate([full[..., 1 - width :], full[..., :width]], -1)
    return np.rint(full).astype(np.int32)


def null_counts(mask: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """S_sc(d) of pairs taken from *different* units: the same in-degrees and the same map C_out, no locality.

    returns : float (2 height - 1, 2 width - 1): AC(sum_j m_j) - sum_j AC(m_j), summed over channels
    """
    return _summed(mask, shape)[1]


def _summed(mask: np.ndarray, shape: tuple[int, int, int], same=None) -> tuple[np.ndarray, np.ndarray]:
    """S_sc summed over units, and null_counts; same: S_sc of every unit, where it is known."""
    same = (_same(mask, shape) if same is None else same).sum(0, dtype=np.int64)
    total = _autocorrelation(mask.sum(0, dtype=np.int64).reshape(shape))
    return same, total - same


def random_mask(mask: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A mask of the same shape with as many entries kept, anywhere: random pruning."""
    return generator.permuted(mask.ravel()).reshape(mask.shape)


def displacements(shape: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """dx, dy and |d| in pixels at every cell of an S(d) of images of that shape."""
    _, height, width = shape
    dy, dx = np.mgrid[1 - height : height, 1 - width : width]
    return dx, dy, np.hypot(dx, dy)


def rf_width(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Width of the receptive fields: sigma_x, sigma_y in pixels of the Gaussian that fits S(d) best.

        S(d) ~ A exp(-dx^2 / 2 sigma_x^2 - dy^2 / 2 sigma_y^2) + B,    A, B >= 0

    counts  : S_sc of units, or summed over them, (..., 2 height - 1, 2 width - 1)
    returns : sigma_x, sigma_y, each (...), to a thousandth of themselves; nan where there are fewer than ten pairs

    The window is all displacements but d = 0 (which counts inputs, not pairs); least squares, all units
    at once, on a grid of widths from 0.3 pixels to 5 image sides that closes in on the best; A and B
    follow from the widths. A mask without locality gives the image's own limit, about 0.45 sides.
    Source: Redman et al. 2024, section 2.2, which leaves the window open.
    """
    *units, rows, columns = counts.shape
    values = counts.reshape(-1, rows, columns).astype(float)
    values[:, rows // 2, columns // 2] = 0
    found = np.full((2, len(values)), np.nan)
    enough = values.sum((1, 2)) >= 20
    if enough.any():
        found[:, enough] = _fitted(values[enough])
    return found[0].reshape(units), found[1].reshape(units)


def _fitted(values: np.ndarray, points: int = 25, rounds: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """sigma_x, sigma_y of the best of Gaussians on finer and finer grids; values: (units, rows, columns), 0 at d = 0."""
    rows, columns = values.shape[1:]
    low = np.log([0.3, 0.3]) + np.zeros((len(values), 2))
    high = np.log([2.5 * (columns + 1), 2.5 * (rows + 1)]) + np.zeros((len(values), 2))
    limits, each = (low[0], high[0]), np.arange(len(values))
    for _ in range(rounds):
        sigma = np.linspace(low, high, points)  # (points, units, 2), logarithms
        squares = [(np.arange(size) - size // 2) ** 2 / 2 for size in (columns, rows)]
        variances = np.exp(2 * sigma).transpose(2, 1, 0)[..., None]  # x and y, units, points, 1
        x, y = (np.exp(-square / variance) for square, variance in zip(squares, variances))
        best = _explained(values, x, y).reshape(len(values), -1).argmax(1)
        places = np.stack([best % points, best // points], 1)
        step = (high - low) / (points - 1)
        middle = np.stack([sigma[places[:, n], each, n] for n in (0, 1)], 1)
        low, high = np.maximum(middle - step, limits[0]), np.minimum(middle + step, limits[1])
        points = 7
    return tuple(np.exp(middle).T)


def _explained(values: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Sum of squares that A g + B explains with the best A, B >= 0, for every g = y x, g(0) left out: (units, ys, xs)."""
    cells = values[0].size - 1
    total = values.sum((1, 2))[:, None, None]
    product = y @ values @ x.swapaxes(1, 2)
    first = y.sum(2)[:, :, None] * x.sum(2)[:, None] - 1
    square = (y**2).sum(2)[:, :, None] * (x**2).sum(2)[:, None] - 1
    together, spread = product - first * total / cells, square - first**2 / cells
    amplitude = together / np.maximum(spread, 1e-12)
    raised = total * square > product * first  # B > 0
    flat = total**2 / cells
    explained = np.where(raised, flat + amplitude * together, product**2 / np.maximum(square, 1e-12))
    return np.where(amplitude > 0, explained, flat)


def rf_moment(counts: np.ndarray) -> tuple[float, float]:
    """The same widths without a fit: root mean square of dx and of dy over all pairs (d = 0 left out), in pixels."""
    height, width = (counts.shape[0] + 1) // 2, (counts.shape[1] + 1) // 2
    dx, dy, distance = displacements((1, height, width))
    pairs = np.where(distance > 0, counts, 0).astype(float)
    total = pairs.sum() or float("nan")
    return float(np.sqrt((pairs * dx**2).sum() / total)), float(np.sqrt((pairs * dy**2).sum() / total))


def localization(mask: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Lambda of each unit: 0 where its inputs are as far apart as those of different units, 1 for a compact blob.

        Lambda_j = (D_null - D_j) / (D_null - D_compact(k_j))

    D_j is the mean distance of unit j's same-channel pairs, D_null that of pairs from different
    units (null_counts), D_compact that of the most compact blob with as many inputs in each channel.

    returns : float (units,), dimensionless; nan for units with fewer than ten pairs

    It corrects for the size of a mask, which widths and enrichment do not; it is blind to masks of
    two distant spots, so `enrichment` stands beside it. Drawn by figures.curves.localization.
    """
    channels, height, width = shape
    distance = displacements(shape)[2]
    same = _same(mask, shape)
    pairs = np.where(distance > 0, same, 0)
    null = np.where(distance > 0, _summed(mask, shape, same)[1], 0)
    count = pairs.sum((1, 2))
    per_channel = mask.reshape(len(mask), channels, -1).sum(2)
    compact = _compact(height, width)[per_channel].sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        null_mean = (null * distance).sum() / null.sum()
        result = (null_mean - (pairs * distance).sum((1, 2)) / count) / (null_mean - compact / count)
    return np.where(count >= 20, result, np.nan)


@functools.cache
def _compact(height: int, width: int) -> np.ndarray:
    """Summed distance over ordered pairs of the n pixels nearest to the middle, for n = 0 .. height * width."""
    y, x = np.mgrid[:height, :width]
    order = np.hypot(y - (height - 1) / 2 - 0.1, x - (width - 1) / 2 - 0.05).ravel().argsort()
    y, x = y.ravel()[order], x.ravel()[order]
    added = [2 * np.hypot(y[:n] - y[n], x[:n] - x[n]).sum() for n in range(len(order))]
    return np.concatenate([[0], np.cumsum(added)])


def enrichment(mask: np.ndarray, shape: tuple[int, int, int], reach: float = 1.5) -> float:
    """How much likelier a same-channel pair is a near one (0 < |d| < reach pixels) than for pairs of different units.

    1 where there is no locality. All units are pooled, so a unit with k inputs weighs as k^2.
    """
    distance = displacements(shape)[2]
    near, any_distance = (distance > 0) & (distance < reach), distance > 0
    same, null = _summed(mask, shape)
    return float(
        (same[near].sum() / same[any_distance].sum()) / (null[near].sum() / null[any_distance].sum())
    )


def pair_correlation(mask: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """g(r): enrichment of same-channel pairs at distance r pixels, r = 1, 2, ... (rounded), up to half a side.

    returns : float (half a side,); 1 where there is no locality. Drawn by figures.curves.pair_correlation.
    """
    distance = displacements(shape)[2]
    ring = np.rint(distance).astype(int)
    rings = np.arange(1, min(shape[1:]) // 2 + 1)
    same, null = _summed(mask, shape)
    share = [np.array([s[ring == r].sum() for r in rings]) / s[distance > 0].sum() for s in (same, null)]
    return share[0] / share[1]


def orientation(mask: np.ndarray, shape: tuple[int, int, int]) -> float:
    """The direction that same-channel pairs prefer, counterclockwise from the horizontal, in degrees, -45 to 45.

    Two axes at right angles are one direction: the phase of sum S / S_null exp(4 i angle) over 3 <= |d| < 8
    pixels, divided by 4. 0 where rows and columns are preferred, 45 (or -45) for diagonals.
    """
    dx, dy, distance = displacements(shape)
    same, null = _summed(mask, shape)
    ring = (distance >= 3) & (distance < 8) & (null > 0)
    wave = np.exp(4j * np.arctan2(-dy[ring], dx[ring]))
    # every distance has the same weight in all directions, so that the grid itself prefers none
    excess = same[ring] / null[ring]
    rings = np.rint(distance[ring]).astype(int)
    mean = (np.bincount(rings, excess) / np.maximum(np.bincount(rings), 1))[rings]
    total = (np.divide(excess, mean, out=np.ones_like(excess), where=mean > 0) - 1) @ wave
    return float(np.degrees(np.angle(total)) / 4)


def axis_excess(mask: np.ndarray, shape: tuple[int, int, int], times: int = 1) -> float:
    """How much likelier same-channel pairs lie along an axis than off it, at exactly the same distance.

    S / S_null at d = (5, 0) and (0, 5), over that at d = (3, 4) and (4, 3), every sign: all |d| = 5
    pixels; or all of that `times` as far. 1 where the masks have no preferred axes; nan where images are smaller than that.
    Source: Pellegrini & Biroli 2022, section 4, where it is seen in the map; this makes it a number.
    """
    dx, dy, distance = displacements(shape)
    same, null = _summed(mask, shape)
    ring, axis = distance == 5 * times, (dx == 0) | (dy == 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        on, off = (same[ring & side].sum() / null[ring & side].sum() for side in (axis, ~axis))
        return float(on / off)
