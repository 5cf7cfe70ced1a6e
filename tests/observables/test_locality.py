"""Identities, closed forms and independent implementations."""

import numpy as np
import pytest
from scipy import optimize

from sifting.observables import connectivity, locality

SHAPE = (3, 7, 5)


@pytest.fixture
def mask():
    return np.random.default_rng(0).random((6, 3 * 7 * 5)) < 0.3


def block(k, channels=1, size=16, at=(4, 5)):
    image = np.zeros((channels, size, size), bool)
    image[:, at[0] : at[0] + k, at[1] : at[1] + k] = True
    return image.reshape(1, -1)


def test_locality_equals_counting_pairs_one_by_one(mask):
    same, different = locality.displacement_counts(mask, SHAPE)
    channels, height, width = SHAPE
    expected = {True: np.zeros_like(same), False: np.zeros_like(different)}
    for unit, row in enumerate(mask):
        kept = np.argwhere(row.reshape(SHAPE))
        for c, y, x in kept:
            for d, v, u in kept:
                expected[c == d][unit, v - y + height - 1, u - x + width - 1] += 1
    assert np.array_equal(same, expected[True])
    assert np.array_equal(different, expected[False])


@pytest.mark.parametrize("k", [1, 3, 6])
def test_a_block_has_k_minus_dx_times_k_minus_dy_pairs(k):
    same, different = locality.displacement_counts(block(k), (1, 16, 16))
    dx, dy, _ = locality.displacements((1, 16, 16))
    assert np.array_equal(same[0], np.clip(k - abs(dx), 0, None) * np.clip(k - abs(dy), 0, None))
    assert not different.any()


def test_locality_is_exact_in_more_than_one_chunk_and_sums_to_all_pairs():
    mask = np.random.default_rng(1).random((300, 3 * 8 * 8)) < 0.5
    same, different = locality.displacement_counts(mask, (3, 8, 8))
    assert np.array_equal((same + different).sum((1, 2)), mask.sum(1).astype(int) ** 2)
    assert np.array_equal(same[:, 7, 7], mask.sum(1)), "at d = 0 every input meets itself"
    assert np.array_equal(same, same[:, ::-1, ::-1]), "S(d) = S(-d)"


@pytest.mark.parametrize("shape", [(1, 64, 64), (4, 32, 32), (3, 64, 64)])
def test_full_masks_are_counted_exactly_in_single_precision_and_in_double(shape):
    channels, height, width = shape
    same, different = locality.displacement_counts(np.ones((2, channels * height * width), bool), shape)
    dx, dy, _ = locality.displacements(shape)
    overlap = (height - abs(dy)) * (width - abs(dx))
    assert (same == channels * overlap).all() and (different == channels * (channels - 1) * overlap).all()


def test_pairs_of_different_units_are_counted_beyond_32_bits():
    size, units = 16, 3000
    null = locality.null_counts(np.ones((units, size**2), bool), (1, size, size))
    assert null[size - 1, size - 1] == units * (units - 1) * size**2 > 2**31


def test_locality_refuses_a_mask_of_other_images(mask):
    with pytest.raises(ValueError, match="3 x 8 x 8"):
        locality.displacement_counts(mask, (3, 8, 8))


def test_null_locality_counts_pairs_of_different_units(mask):
    null = locality.null_counts(mask, SHAPE)
    expected = np.zeros_like(null, float)
    images = mask.reshape(-1, *SHAPE).astype(int)
    for j, a in enumerate(images):
        for k, b in enumerate(images):
            for c in range(SHAPE[0]) if j != k else ():
                for y, x in np.argwhere(a[c]):
                    for v, u in np.argwhere(b[c]):
                        expected[v - y + SHAPE[1] - 1, u - x + SHAPE[2] - 1] += 1
    assert np.array_equal(null, expected)


@pytest.mark.parametrize("sigma", [(1.5, 1.5), (2.0, 3.0), (4.0, 1.2)])
def test_rf_width_recovers_the_gaussian_it_is_given(sigma):
    dx, dy, _ = locality.displacements((1, 16, 16))
    counts = 1000 * np.exp(-(dx**2) / (2 * sigma[0] ** 2) - dy**2 / (2 * sigma[1] ** 2)) + 3
    assert locality.rf_width(counts) == pytest.approx(sigma, rel=1e-3)


def test_rf_width_fits_every_unit_at_least_as_well_as_a_general_solver():
    draw, shape = np.random.default_rng(1), (3, 12, 14)
    near = np.hypot(*(np.mgrid[:12, :14] - draw.integers(2, 10, (40, 2, 1, 1))).swapaxes(0, 1)) < 3
    kept = draw.random((40, 3, 12, 14)) < np.where(near, 0.5, 0.05)[:, None]
    same = locality.displacement_counts(kept.reshape(40, -1), shape)[0]
    dx, dy, distance = locality.displacements(shape)
    dx, dy, values = dx[distance > 0], dy[distance > 0], same[:, distance > 0].astype(float)

    def gaussian(_, amplitude, sigma_x, sigma_y, offset):
        return amplitude * np.exp(-(dx**2) / (2 * sigma_x**2) - dy**2 / (2 * sigma_y**2)) + offset

    bounds, agree = ([0, 0.3, 0.3, 0], [np.inf, 70, 60, np.inf]), 0
    for unit, mine in zip(values, np.stack(locality.rf_width(same), 1), strict=True):
        solved = optimize.curve_fit(gaussian, dx, unit, [unit.max(), 5, 4, 0], bounds=bounds)[0]
        linear = np.stack([gaussian(dx, 1, *mine, 0), np.ones_like(dx)], 1)
        least = optimize.nnls(linear, unit)[1] ** 2
        other = ((unit - gaussian(dx, *solved)) ** 2).sum()
        assert least <= other * (1 + 1e-6)
        agree += mine == pytest.approx(solved[1:3], rel=5e-3)
    assert agree > 20


def test_rf_moment_of_two_points():
    counts = np.zeros((31, 31))
    counts[15 + 2, 15 + 3] = counts[15 - 2, 15 - 3] = 5
    counts[15, 15] = 99
    assert locality.rf_moment(counts) == pytest.approx((3, 2))


def test_widths_are_nan_without_pairs():
    empty = np.zeros((31, 31))
    assert np.isnan(locality.rf_width(empty)).all() and np.isnan(locality.rf_moment(empty)).all()


def test_localization_is_zero_for_random_masks_and_one_for_compact_blobs():
    draw, shape = np.random.default_rng(3), (3, 16, 16)
    random = locality.localization(draw.random((400, 768)) < 0.05, shape)
    assert abs(np.nanmean(random)) < 3 * np.nanstd(random) / np.sqrt(400) + 0.003
    y, x = np.mgrid[:16, :16]
    blobs = np.zeros((100, 256), bool)
    for blob, (cy, cx) in zip(blobs, draw.uniform(4, 11, (100, 2))):
        blob[np.hypot(y - cy, x - cx).ravel().argsort(kind="stable")[: draw.integers(12, 60)]] = True
    assert np.nanmean(locality.localization(blobs, (1, 16, 16))) == pytest.approx(1, abs=0.03)


def test_localization_grows_as_noise_is_sifted_out():
    draw, rows = np.random.default_rng(4), []
    for noise in (1.0, 0.5, 0.0):
        blobs = np.concatenate([block(5, at=draw.integers(0, 11, 2)) for _ in range(60)])
        noisy = np.where(draw.random(blobs.shape) < noise, draw.random(blobs.shape) < 0.1, blobs)
        rows.append(np.nanmean(locality.localization(noisy, (1, 16, 16))))
    assert rows[0] < rows[1] < rows[2]
    assert rows[2] > 0.9


def test_localization_leaves_out_units_with_fewer_than_ten_pairs():
    mask = np.zeros((3, 256), bool)
    mask[0, :4], mask[1, :5], mask[2, :9] = True, True, True
    assert np.isnan(locality.localization(mask, (1, 16, 16))).tolist() == [True, False, False]


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 16, 16), (1, 28, 28), (1, 5, 7)])
@pytest.mark.parametrize("units", [2, 3, 20, 300])
def test_a_dense_layer_has_no_localization(units, shape):
    dense = np.ones((units, np.prod(shape)), bool)
    assert np.isnan(locality.localization(dense, shape)).all(), "nothing could lie nearer, but for rounding"
    assert np.isnan(locality.pooled_localization(dense, shape))
    dense[0, 1:] = False
    found = locality.localization(dense, shape)
    assert np.isnan(found[0])


def test_the_share_of_units_with_a_value_is_that_of_the_living_ones_with_ten_pairs(mask):
    few = np.zeros((4, 256), bool)
    few[0, :4], few[1, :5], few[2, :9] = True, True, True
    assert locality.measured(few, (1, 16, 16)) == pytest.approx(2 / 3), "the last unit has no input"
    assert np.isnan(locality.measured(few[3:], (1, 16, 16)))
    found = ~np.isnan(locality.localization(mask, SHAPE))
    assert locality.measured(mask, SHAPE) == found[mask.any(1)].mean()
    same = locality.displacement_counts(few, (1, 16, 16))[0]
    assert np.isfinite(locality.rf_width(same)[0]).tolist() == [False, True, True, False]


def test_enrichment_and_pair_correlation_are_one_for_random_masks():
    mask = np.random.default_rng(5).random((600, 768)) < 0.1
    assert locality.enrichment(mask, (3, 16, 16)) == pytest.approx(1, abs=0.02)
    assert locality.pair_correlation(mask, (3, 16, 16)) == pytest.approx(np.ones(8), abs=0.03)
    blobs = np.concatenate([block(4, at=at) for at in np.random.default_rng(6).integers(0, 12, (80, 2))])
    g = locality.pair_correlation(blobs, (1, 16, 16))
    assert g[0] > 3 and g[-1] == 0 and locality.enrichment(blobs, (1, 16, 16)) > 3


def test_axis_excess_is_one_without_axes_and_large_for_bars():
    draw = np.random.default_rng(7)
    assert locality.axis_excess(draw.random((600, 768)) < 0.1, (3, 16, 16)) == pytest.approx(1, abs=0.05)
    bars = np.zeros((40, 16, 16), bool)
    for n, y in enumerate(draw.integers(1, 14, 40)):
        bars[n, y - 1 : y + 2] = True
    assert all(locality.axis_excess(bars.reshape(40, -1), (1, 16, 16), d) > 2 for d in (5, 10))
    assert np.isnan(locality.axis_excess(bars.reshape(40, -1), (1, 16, 16), 7)), "7 has no oblique twin"


@pytest.mark.parametrize("angle", [0, 10, 20, -30])
def test_orientation_is_that_of_the_bars_that_masks_are_made_of(angle):
    draw, size = np.random.default_rng(0), 24
    masks = np.zeros((80, size, size), bool)
    for unit, mask in enumerate(masks):
        turn, along = np.radians(angle + 90 * (unit % 2)), np.linspace(-7, 7, 60)
        y, x = draw.integers(4, size - 4, 2)
        rows = np.rint(y - along * np.sin(turn)).astype(int)
        columns = np.rint(x + along * np.cos(turn)).astype(int)
        inside = (rows >= 0) & (rows < size) & (columns >= 0) & (columns < size)
        mask[rows[inside], columns[inside]] = True
    assert locality.orientation(masks.reshape(80, -1), (1, size, size)) == pytest.approx(angle, abs=2)


def test_degrees_sum_to_the_weights_kept(mask):
    assert connectivity.in_degree(mask).sum() == connectivity.out_degree(mask).sum() == mask.sum()


def test_the_tail_is_what_random_pruning_has_least_of():
    draw = np.random.default_rng(8)
    random = draw.random((4000, 500)) < 0.1
    assert 0.004 < connectivity.tail(random) <= 0.013
    some = random.copy()
    some[:400] = draw.random((400, 500)) < 0.3
    assert connectivity.tail(some) == pytest.approx(0.1, abs=0.02)
    some[:400] = False
    assert connectivity.degree_excess(some) > 3, "units that keep nothing are in the variance"
    assert connectivity.tail(some) < 0.1


def test_degree_excess_is_one_for_random_masks():
    draw = np.random.default_rng(8)
    assert connectivity.degree_excess(draw.random((4000, 500)) < 0.1) == pytest.approx(1, abs=0.1)
    assert np.isnan(connectivity.degree_excess(np.ones((5, 5), bool)))


def test_binomial_sums_to_the_units_and_has_the_mean_of_the_mask(mask):
    counts = np.arange(mask.shape[1] + 1)
    expected = connectivity.binomial(mask, counts)
    assert expected.sum() == pytest.approx(len(mask))
    assert (counts * expected).sum() == pytest.approx(mask.sum())


def test_random_mask_keeps_the_number(mask):
    random = locality.random_mask(mask, np.random.default_rng(0))
    assert random.sum() == mask.sum() and random.shape == mask.shape and not np.array_equal(random, mask)


def test_rewire_keeps_both_degrees_and_nothing_else(mask):
    draw = np.random.default_rng(0)
    rewired = connectivity.rewire(mask, draw)
    assert rewired.dtype == bool and np.array_equal(rewired.sum(0), mask.sum(0))
    assert np.array_equal(rewired.sum(1), mask.sum(1))
    block = np.zeros((20, 20), bool)
    block[:10, :10] = block[10:, 10:] = True
    kept = np.mean([(connectivity.rewire(block, draw) & block).sum() / block.sum() for _ in range(20)])
    assert kept == pytest.approx(0.5, abs=0.05), "two blocks of equal degrees mix"


def test_jackknife_gives_the_standard_error_of_a_mean():
    mask = np.random.default_rng(9).random((1000, 50)) < 0.3
    exact = mask.mean(1).std(ddof=1) / np.sqrt(1000)
    assert connectivity.jackknife(lambda m: m.mean(), mask, groups=100) == pytest.approx(exact, rel=0.2)


def test_pooled_localization_weighs_units_by_their_pairs_and_misses_none():
    rows = np.concatenate([block(3), block(3, at=(9, 8)), block(2, at=(1, 12))])
    alone = locality.localization(rows, (1, 16, 16))
    assert np.isnan(alone[2]) and np.isfinite(alone[:2]).all(), "two by two pixels are six pairs"
    assert locality.pooled_localization(rows, (1, 16, 16)) == pytest.approx(1, abs=0.02)
    mirrored = np.random.default_rng(0).random((1, 3, 7, 5)) < 0.3
    both = np.concatenate([mirrored, mirrored[..., ::-1]]).reshape(2, -1)
    mean = locality.localization(both, SHAPE).mean()
    assert locality.pooled_localization(both, SHAPE) == pytest.approx(mean)
    assert np.isnan(locality.pooled_localization(np.zeros((2, 105), bool), SHAPE))
