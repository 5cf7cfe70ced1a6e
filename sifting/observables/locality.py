"""How local masks are: displacements between kept inputs, and numbers made of them."""

import functools

import numpy as np
import scipy

from sifting.observables import fitting

CHUNK = 256  # units transformed at a time; bounds the memory
EXACT = 4096  # pixels of a mask, up to which single precision counts pairs exactly
PAIRS = 10  # same-channel pairs of a unit, fewer than which say nothing of its form


def displacement_counts(mask: np.ndarray, shape: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """S(d): for every unit, how many ordered pairs of kept inputs lie at each displacement d.

        S_sc = sum_c AC(m_c)        S_dc = AC(sum_c m_c) - S_sc        AC: autocorrelation

    mask    : bool (units, inputs), inputs in the order channel, height, width
    shape   : (channels, height, width)
    returns : S_sc (same channel) and S_dc (different channels), exact whole numbers
              (units, 2 height - 1, 2 width - 1), d = (0, 0) in the middle

    Raises ValueError where the inputs are not channels * height * width. Source: Pellegrini & Biroli
    2022, section 3. Differs: their code stops counting after 1e7 pairs. Drawn by figures.maps.locality.
    """
    same = same_counts(mask, shape)
    if shape[0] == 1:
        return same, np.zeros(same.shape, np.int64)
    return same, autocorrelation(_images(mask, shape).sum(1, keepdims=True)) - same


def same_counts(mask: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """S_sc of `displacement_counts` alone; read-only, for what was asked last is kept.

    The measures below ask for it in turn, of the same mask.
    """
    _images(mask, shape)
    return _counted(np.ascontiguousarray(mask, bool).tobytes(), tuple(shape))


@functools.lru_cache(2)
def _counted(entries: bytes, shape: tuple[int, int, int]) -> np.ndarray:
    """The autocorrelation of the images of a mask, by its entries."""
    found = autocorrelation(np.frombuffer(entries, bool).reshape(-1, *shape))
    found.flags.writeable = False
    return found


forget = _counted.cache_clear  # what is kept of masks that were asked for last


def autocorrelation(images: np.ndarray) -> np.ndarray:
    """Of every unit the autocorrelation of its image, summed over channels: by FFT, and exact.

        AC(m)(d) = sum_i m_i m_(i + d), zero outside of the image

    images  : bool or whole numbers (units, channels, height, width)
    returns : int32 of bool, int64 of numbers (units, 2 height - 1, 2 width - 1), d = (0, 0) in the middle
    """
    if len(images) > CHUNK:
        parts = [images[n : n + CHUNK] for n in range(0, len(images), CHUNK)]
        return np.concatenate([autocorrelation(part) for part in parts])
    *_, height, width = images.shape
    size = [scipy.fft.next_fast_len(2 * side - 1, real=True) for side in (height, width)]
    # rounding is far below 1/2 in single precision, too, where few are counted
    few = images.dtype == bool and images[0].size <= EXACT
    spectrum = scipy.fft.rfft2(images.astype(np.float32 if few else np.float64), s=size)
    counts = scipy.fft.irfft2((spectrum.real**2 + spectrum.imag**2).sum(1), s=size)
    middle = np.roll(counts, (height - 1, width - 1), (1, 2))[:, : 2 * height - 1, : 2 * width - 1]
    return np.rint(middle).astype(np.int32 if images.dtype == bool else np.int64)


def _images(mask: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """The masks of units as images, (units, channels, height, width)."""
    if mask.ndim != 2 or mask.shape[1] != np.prod(shape):
        raise ValueError("mask {} does not have {} x {} x {} inputs".format(mask.shape, *shape))
    return mask.reshape(-1, *shape)


def null_counts(mask: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """S_sc(d) of pairs from *different* units, summed over channels.

        AC(sum_j m_j) - sum_j AC(m_j)

    The units have the same in-degrees, and the inputs the same out-degrees: all that it lacks is locality.

    returns : (2 height - 1, 2 width - 1)
    """
    return _pooled(mask, shape)[1]


def _pooled(mask: np.ndarray, shape: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """S_sc summed over units, and null_counts."""
    same = same_counts(mask, shape).sum(0)
    return same, autocorrelation(_images(mask, shape).sum(0)[None])[0] - same


def random_mask(mask: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A mask of the same shape with as many entries kept, anywhere: random pruning."""
    return generator.permuted(mask.ravel()).reshape(mask.shape)


def displacements(shape: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """dx, dy and |d| in pixels at every cell of an S(d) of images of that shape."""
    _, height, width = shape
    dy, dx = np.mgrid[1 - height : height, 1 - width : width]
    return dx, dy, np.hypot(dx, dy)


def rf_width(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Width of receptive fields: sigma_x, sigma_y of the Gaussian that fits S(d) best.

        S(d) ~ A exp(-dx^2 / 2 sigma_x^2 - dy^2 / 2 sigma_y^2) + B,    A, B >= 0

    counts  : S_sc of units, or summed over them, (..., 2 height - 1, 2 width - 1)
    returns : sigma_x, sigma_y in pixels, each (...), to a thousandth of themselves; nan for fewer than ten
              pairs

    The window is all displacements but d = 0 (which counts inputs, not pairs); least squares, all units
    at once, on a grid of widths from 0.3 pixels to 5 image sides that closes in on the best; A and B
    follow from the widths. A mask without locality gives the image's own limit, about 0.45 sides.
    Source: Redman et al. 2024, section 2.2, which leaves the window open.
    """
    *units, rows, columns = counts.shape
    values = counts.reshape(-1, rows, columns).astype(float)
    values[:, rows // 2, columns // 2] = 0
    found = np.full((2, len(values)), np.nan)
    enough = values.sum((1, 2)) >= 2 * PAIRS
    if enough.any():
        found[:, enough] = fitting.widths(values[enough])
    return found[0].reshape(units), found[1].reshape(units)


def rf_moment(counts: np.ndarray) -> tuple[float, float]:
    """The same widths without a fit: root mean square of dx and of dy over all pairs, in pixels.

    The pairs of an input with itself, d = 0, are left out.
    """
    height, width = (counts.shape[0] + 1) // 2, (counts.shape[1] + 1) // 2
    dx, dy, distance = displacements((1, height, width))
    pairs = np.where(distance > 0, counts, 0).astype(float)
    total = pairs.sum() or float("nan")
    return float(np.sqrt((pairs * dx**2).sum() / total)), float(np.sqrt((pairs * dy**2).sum() / total))


def localization(mask: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Lambda of each unit: how much nearer its inputs are to one another than to other units'.

        Lambda_j = (D_null - D_j) / (D_null - D_compact(k_j))

    D_j is the mean distance of unit j's same-channel pairs, D_null that of pairs from different units
    (null_counts), D_compact that of the most compact blob with as many inputs in each channel.

    returns : float (units,), 0 without locality, 1 for a blob; nan for fewer than ten pairs, and if dense

    It corrects for the size of a mask, which widths and enrichment do not; it is blind to masks of
    two distant spots, so `enrichment` stands beside it. Drawn by figures.locality.localization.
    """
    gained, possible, count = _nearer(mask, shape)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(count >= 2 * PAIRS, gained / possible, np.nan)


def pooled_localization(mask: np.ndarray, shape: tuple[int, int, int]) -> float:
    """Lambda of the pairs of all units together: few are enough, and a unit weighs as its pairs.

    Sum over units of D_null - D, over that of D_null - D_compact, each times the number of pairs.
    """
    gained, possible, count = _nearer(mask, shape)
    room = np.nansum(count * possible)
    return float(np.nansum(count * gained) / room) if room else float("nan")


def _nearer(mask: np.ndarray, shape: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each unit D_null - D, D_null - D_compact, and the number of pairs; nan without any, or where 0."""
    images, distance = _images(mask, shape), displacements(shape)[2]
    same, null = same_counts(mask, shape), null_counts(mask, shape)
    kept = np.count_nonzero(images, axis=(2, 3))
    count = (kept * (kept - 1)).sum(1)  # an input is no pair with itself
    with np.errstate(invalid="ignore", divide="ignore"):
        d, d_null = (same * distance).sum((1, 2)) / count, (null * distance).sum() / null[distance > 0].sum()
        blob = compact(*shape[1:])[kept].sum(1) / count
        possible = np.where(np.isclose(blob, d_null, 1e-9, 0), np.nan, d_null - blob)  # not rounding
        return d_null - d, possible, count


def measured(mask: np.ndarray, shape: tuple[int, int, int]) -> float:
    """Share of the units with any input that have a localization and a width: PAIRS or more.

    What is said of units is said of these; where it is small, of few of the largest. nan where no unit has
    an input. Drawn by figures.curves.compare.
    """
    kept = _images(mask, shape).sum((2, 3))
    alive = kept.any(1)
    enough = (kept * (kept - 1) // 2).sum(1) >= PAIRS
    return float(enough[alive].mean()) if alive.any() else float("nan")


@functools.cache
def compact(height: int, width: int) -> np.ndarray:
    """Summed distance over ordered pairs of the n pixels nearest to the middle: (pixels + 1,)."""
    y, x = np.mgrid[:height, :width]
    order = np.hypot(y - (height - 1) / 2 - 0.1, x - (width - 1) / 2 - 0.05).ravel().argsort()
    y, x = y.ravel()[order], x.ravel()[order]
    added = [2 * np.hypot(y[:n] - y[n], x[:n] - x[n]).sum() for n in range(len(order))]
    return np.concatenate([[0], np.cumsum(added)])


def enrichment(mask: np.ndarray, shape: tuple[int, int, int], reach: float = 1.5) -> float:
    """How much likelier a same-channel pair of one unit is to be near than one of two units.

    Near: 0 < |d| < reach, in pixels. 1 where there is no locality. All units are pooled, so that a unit
    with k inputs weighs as k^2.
    """
    distance = displacements(shape)[2]
    near, any_distance = (distance > 0) & (distance < reach), distance > 0
    same, null = _pooled(mask, shape)
    with np.errstate(invalid="ignore", divide="ignore"):
        mine, others = (counts[near].sum() / counts[any_distance].sum() for counts in (same, null))
        return float(mine / others)


def pair_correlation(mask: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """g(r): enrichment of same-channel pairs at a distance of r pixels, rounded.

    returns : float (half a side,), for r = 1, 2, and so on; 1 where there is no locality.
    Drawn by figures.locality.pair_correlation.
    """
    distance = displacements(shape)[2]
    ring, rings = np.rint(distance).astype(int), np.arange(1, min(shape[1:]) // 2 + 1)
    same, null = _pooled(mask, shape)
    share = [np.array([s[ring == r].sum() for r in rings]) / s[distance > 0].sum() for s in (same, null)]
    return share[0] / share[1]


def orientation(mask: np.ndarray, shape: tuple[int, int, int]) -> float:
    """The direction that same-channel pairs prefer, in degrees counterclockwise from the rows.

        phase of sum_d S(d) / S_null(d) exp(4 i angle(d)), divided by 4, over 3 <= |d| < 8 pixels

    Two axes at right angles are one direction, from -45 to 45: 0 where rows and columns are preferred, 45 (or
    -45) for diagonals. At every distance S / S_null is divided by its mean, so that the grid prefers none.
    """
    same, null = _pooled(mask, shape)
    return direction(np.divide(same, null, out=np.full(same.shape, np.nan), where=null > 0))


def direction(likely: np.ndarray) -> float:
    """The direction of the pairs that `likely` (2 height - 1, 2 width - 1) says are likelier; nan: no pairs.

    As `orientation`, with `likely` in place of S / S_null.
    """
    dx, dy, distance = displacements((1, *((side + 1) // 2 for side in likely.shape)))
    ring = (distance >= 3) & (distance < 8) & np.isfinite(likely)
    wave = np.exp(4j * np.arctan2(-dy[ring], dx[ring]))
    excess, rings = likely[ring], np.rint(distance[ring]).astype(int)
    mean = (np.bincount(rings, excess) / np.maximum(np.bincount(rings), 1))[rings]
    total = (np.divide(excess, mean, out=np.ones_like(excess), where=mean > 0) - 1) @ wave
    return float(np.degrees(np.angle(total)) / 4)


def axis_excess(mask: np.ndarray, shape: tuple[int, int, int], distance: int = 5) -> float:
    """How much likelier same-channel pairs lie along an axis than off it, at equal distance.

    S / S_null at d = (5, 0) and (0, 5), over that at d = (3, 4) and (4, 3), every sign: all |d| = 5 pixels.
    Other distances that both have: 10, as (6, 8), and 13, as (5, 12). 1 where the masks prefer no axes; nan
    where images are smaller.
    Source: Pellegrini & Biroli 2022, section 4, where it is seen in the map; this makes it a number.
    """
    dx, dy, length = displacements(shape)
    same, null = _pooled(mask, shape)
    ring, axis = length == distance, (dx == 0) | (dy == 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        on, off = (same[ring & side].sum() / null[ring & side].sum() for side in (axis, ~axis))
        return float(on / off)
