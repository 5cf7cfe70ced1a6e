"""Verdicts: closed forms of the interval, and its coverage."""

import numpy as np
import pytest
from scipy import stats

from sifting.publish.catalog import DESIGNS, Statement, statements
from sifting.publish.claims import MOST_SEEDS, Claim, check, surviving


def claim(values, against=None, error=None, **said):
    """What becomes of a statement on such values; it says that they lie above 0, if nothing else is said.

    Its design is what the values are for, if nothing else is said: two samples or units or one sample.
    """
    said = said if {"above", "below"} & said.keys() else {"above": 0} | said
    design = "two samples" if against is not None else "units" if error is not None else "one sample"
    said = {"design": design} | said
    statement = Statement("own-figure", "name", "a statement", "a value", "an effect", **said)
    return check(statement, values, against, error)


def test_interval_is_students():
    values = [1.0, 2.0, 4.0]
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (claim(values).low, claim(values).high) == pytest.approx(tuple(expected))


def test_an_interval_ends_where_an_effect_can_be():
    assert claim([0.2, 0.9, 1.0], most=1).high == 1 and claim([0.2, 0.9, 1.0]).high > 1
    assert claim([0.2, 0.9], over="two ways").over == "two ways" and claim([0.2, 0.9]).over == "2 seeds"
    assert claim([0.2, 0.9, 1.0], least=0).low == 0 and claim([0.2, 0.9, 1.0]).low < 0
    points = next(one for one in statements().values() if one.unit == "points" and not one.arms)
    assert check(points, [-90, 10, 90]).low == -100 and check(points, [-90, 10, 90]).high == 100
    assert check(points, [50]).low == -np.inf, "without an interval there is nothing to cut"


def test_verdict_follows_the_whole_interval():
    assert claim([5.0, 5.1, 4.9]).verdict == "holds"
    assert claim([-5.0, -5.1, -4.9]).verdict == "does not hold"
    assert claim([5.0, -4.0, 1.0]).verdict == "unclear"
    assert claim([5.0, 5.1, 4.9], above=6).verdict == "does not hold"


def test_absence_holds_only_where_the_whole_interval_is_within_the_margin():
    none = {"above": -0.05, "below": 0.05}
    assert claim([0.01, -0.01, 0.0], **none).verdict == "holds"
    assert claim([0.2, 0.21, 0.22], **none).verdict == "does not hold"
    assert claim([0.0, 0.1, -0.1], **none).verdict == "unclear", "not seen is not yet absent"
    assert claim([0.0], **none).verdict == "unclear"
    assert claim([0.0, 0.0], **none).statement.wanted == "between −0.05 and 0.05"
    assert claim([0.0], above=-1).statement.wanted == "above −1"
    assert claim([0.0], below=2).statement.wanted == "below 2"
    assert claim([0.0], below=2, why="as two is little").statement.wanted == "below 2; as two is little"


def test_against_another_group_the_interval_is_that_of_the_pooled_two_sample_test():
    one, two = [1.0, 2.0, 4.0], [0.0, 0.5]
    expected = stats.ttest_ind(one, two).confidence_interval(0.95)
    found = claim(one, against=two)
    assert (found.low, found.high) == pytest.approx(tuple(expected))
    assert found.over == "3 seeds against 2 seeds"
    single = claim(one, against=2.5)
    assert single.estimate == pytest.approx(np.mean(one) - 2.5)
    assert single.high - single.estimate == pytest.approx(
        stats.t.ppf(0.975, 2) * np.std(one, ddof=1) * np.sqrt(4 / 3)
    )


def test_pairs_are_tested_by_their_differences():
    one, two = [1.0, 2.0, 4.0], [0.5, 1.8, 3.1]
    found, expected = claim(one, two, design="paired"), stats.ttest_rel(one, two)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval(0.95)))
    assert found.p == pytest.approx(expected.pvalue) and found.over == "3 seeds, paired"
    assert found.estimate == pytest.approx(claim(one, two).estimate), "the design is about the interval"
    less = claim([*one, np.nan, 9.0], [*two, 7.0, np.nan], design="paired")
    assert (less.low, less.high, less.over) == (found.low, found.high, found.over), "a pair is whole or none"


@pytest.mark.parametrize("groups", [1, 2])
def test_so_many_seeds_of_the_same_mean_and_spread_decide_what_is_unclear_and_one_less_does_not(groups):
    values = np.array([5.0, -4.0, 4.0])
    open_ = claim(values, values - 3 if groups == 2 else None)
    assert open_.verdict == "unclear" and open_.seeds > 3
    assert open_.forecast == f"about {open_.seeds} seeds" + " of each kind" * (groups == 2)

    def again(count):
        made = np.linspace(-1, 1, count)
        made *= np.sqrt(values.var(ddof=1) / made.var(ddof=1))
        return claim(made + open_.estimate, made if groups == 2 else None).verdict

    assert (again(open_.seeds - 1), again(open_.seeds)) == ("unclear", "holds")


def test_what_seeds_can_not_decide_has_no_forecast_or_a_bound_of_it():
    assert claim([5.0, 5.1, 4.9]).forecast == "", "it is decided"
    assert claim([0.1, -1.0, 1.0]).forecast == f"more than {MOST_SEEDS} seeds"
    assert claim([0.5], error=1.0).forecast == claim([0.5]).forecast == "", "no interval over seeds"
    assert claim([0.5, -0.5, 1.0], over="two ways").forecast == ""
    images = [[5.0, 5.1, 4.9], [15.0, 15.1, 14.9], [-5.0, -5.1, -4.9]]
    assert claim(images, images=True).forecast == f"more than {MOST_SEEDS} seeds", "images are too few"


CALLS = {
    "one sample": {"values": [1.0, 2.0]},
    "paired": {"values": [1.0, 2.0], "against": [0.5, 0.7]},
    "units": {"values": 1.0, "error": 0.1},
    "exact": {"values": 1.0},
}


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("call", CALLS)
def test_a_call_that_does_not_fit_the_design_is_refused(design, call):
    fits = {"one sample": ("one sample", "exact"), "two samples": ("paired",), "exact": ("exact",)}
    said = Statement("own-figure", "name", "a statement", "a value", "an effect", above=0, design=design)
    if call in fits.get(design, (design,)):
        assert check(said, **CALLS[call]).estimate > 0
    else:
        with pytest.raises(ValueError, match=f"own-figure.name is tested by {design}"):
            check(said, **CALLS[call])


def test_pairs_have_two_of_each():
    with pytest.raises(ValueError, match="own-figure.name is paired, but"):
        claim([1.0, 2.0], [1.0], design="paired")


# --- test images


def crossed(draw, seeds, images, of_seeds, of_images, of_both):
    """Effects (seeds, images) with a mean of 0: of seeds, of images, and of both."""
    spread = of_seeds * draw.normal(size=(seeds, 1)) + of_images * draw.normal(size=(1, images))
    return spread + of_both * draw.normal(size=(seeds, images))


def redrawn_effects(draw, effects, redraws=60):
    """(1 + redraws, seeds): means over the images as they are, and over images drawn anew."""
    count = effects.shape[1]
    weights = draw.multinomial(count, np.full(count, 1 / count), redraws) / count
    return np.concatenate([effects.mean(1)[None], weights @ effects.T])


@pytest.mark.parametrize("of_seeds, of_images", [(0.0, 1.0), (0.1, 0.0), (0.1, 1.0)])
def test_an_interval_over_images_covers_where_one_over_seeds_alone_does_not(of_seeds, of_images):
    draw, missed, without, times = np.random.default_rng(0), 0, 0, 400
    for _ in range(times):
        effects = crossed(draw, 4, 100, of_seeds, of_images, 0.3)
        found = claim(redrawn_effects(draw, effects), images=True)
        missed += found.verdict != "unclear"
        without += claim(effects.mean(1)).verdict != "unclear"
    assert missed / times < 0.08
    assert (without / times > 0.2) == (of_images > 0)


def test_with_no_spread_over_images_the_interval_is_that_over_seeds():
    values = np.array([1.0, 2.0, 4.0])
    found, plain = claim(np.tile(values, (9, 1)), images=True), claim(values)
    assert (found.low, found.high, found.p) == pytest.approx((plain.low, plain.high, plain.p))
    assert found.over == "3 seeds and the held-out images"
    shifted = np.tile(values, (9, 1)) + np.r_[0, -2, -1, 0, 1, 2, 0, 0, 0][:, None]
    wide, of_images = claim(shifted, images=True), stats.norm.ppf(0.975) * np.std(shifted[1:, 0], ddof=1)
    assert wide.high - wide.estimate == pytest.approx(np.hypot(plain.high - plain.estimate, of_images))
    for above in (-3.0, 0.0, 2.2, 6.0):
        found = claim(shifted, images=True, above=above)
        assert (found.p < 0.05) == (found.verdict != "unclear")
    assert claim(shifted, images=True, above=wide.low).p == pytest.approx(0.05)
    assert claim(shifted, images=True, above=-1e9).p == 0, "so far away that the tail of t is no number"
    pairs = claim(shifted, shifted - 1.0, images=True, design="paired")
    assert pairs.low == pytest.approx(1) and pairs.high == pytest.approx(1), "the same images for both"
    assert pairs.over == "3 seeds and the held-out images, paired"


@pytest.mark.parametrize("images, values", [(True, [1.0, 2.0]), (False, [[1.0, 2.0]] * 3)])
def test_images_are_as_the_record_says(images, values):
    with pytest.raises(ValueError, match=f"images={images} of the record"):
        claim(values, images=images)


def test_p_is_that_of_the_nearest_bound_and_decides_as_the_interval_does():
    values = [1.0, 2.0, 4.0]
    assert claim(values).p == pytest.approx(stats.ttest_1samp(values, 0).pvalue)
    assert claim(values, above=3).p == pytest.approx(stats.ttest_1samp(values, 3).pvalue)
    assert claim(values, above=-9, below=3).p == pytest.approx(stats.ttest_1samp(values, 3).pvalue)
    assert claim(values, against=[0.0, 0.5]).p == pytest.approx(stats.ttest_ind(values, [0.0, 0.5]).pvalue)
    assert claim([5.0], error=2.0).p == pytest.approx(2 * stats.norm.sf(2.5))
    assert (
        claim([5.0], error=0.0).p == claim(5.0, design="exact").p == 0
        and np.isnan(claim([5.0]).p)
        and np.isnan(claim([]).p)
    )
    same = claim([5.0, 5.0, 5.0])
    assert same.verdict == "holds" and np.isnan(same.p), "runs of one value say nothing of how runs scatter"
    draw = np.random.default_rng(1)
    for _ in range(300):
        bounds = dict(zip(("above", "below"), np.sort(draw.normal(size=2))))
        found = claim(draw.normal(size=3), **bounds)
        assert (found.p < 0.05) == (found.verdict != "unclear")


@pytest.mark.parametrize("method", ["holm", "bh"])
def test_what_survives_is_what_the_textbook_says(method):
    draw = np.random.default_rng(0)
    for _ in range(50):
        p = draw.uniform(size=20) ** 4
        if method == "bh":
            expected = stats.false_discovery_control(p) <= 0.05
        else:
            order = np.argsort(p)
            adjusted = np.maximum.accumulate((20 - np.arange(20)) * p[order])
            expected = np.empty(20, bool)
            expected[order] = adjusted <= 0.05
        np.testing.assert_array_equal(surviving(p, method), expected)
    assert list(surviving([np.nan, 1e-9, 0.9], method)) == [False, True, False]
    assert surviving([], method).size == 0 and not surviving([np.nan], method).any()


def test_one_seed_proves_nothing_unless_its_own_error_is_known():
    assert claim([5.0]).verdict == "unclear"
    assert claim([5.0], error=1.0).verdict == "holds"
    assert claim([5.0], error=3.0).verdict == "unclear"
    assert claim([5.0], error=float("nan")).verdict == "unclear"


def test_a_true_null_is_called_true_or_false_five_times_in_a_hundred():
    draws = np.random.default_rng(0).normal(size=(2000, 3))
    wrong = np.mean([claim(row).verdict != "unclear" for row in draws])
    assert wrong == pytest.approx(0.05, abs=0.015)


def test_without_values_a_claim_is_unclear_and_nan_seeds_are_not_counted():
    for nothing in ([], [float("nan")], float("nan")):
        assert (claim(nothing).verdict, claim(nothing).ours) == ("unclear", "nothing to measure")
    assert claim([1.0, 1.1, float("nan")]).over == "2 seeds"
    assert claim([1.0, 2.0], against=[float("nan")]).verdict == "unclear"


def test_an_error_over_units_is_for_one_value():
    with pytest.raises(ValueError, match="single value"):
        claim([1.0, 2.0], error=0.1)
    assert claim([2.0], error=np.nan).low == -np.inf, "an error that is not known is none"


def test_ours_has_two_digits_of_half_the_interval():
    assert claim([1.0, 2.0, 3.0], unit="points").ours == "2.0 points [−0.5, 4.5], 3 seeds"
    assert claim([1.0, 1.0004], above=1.01).ours == "1.0002 [0.9977, 1.0027], 2 seeds"
    assert claim([1.0]).ours == "1.00, 1 seed"
    assert claim([0.31, 0.32, 0.33]).ours == "0.320 [0.295, 0.345], 3 seeds"
    assert claim([241.0, 243.0, 280.0]).ours == "255 [200, 309], 3 seeds"
    assert claim(0.25, design="exact").ours == "0.250, exact"


def test_runs_that_differ_by_rounding_alone_show_no_more_digits_than_one():
    assert claim([86.5, np.float32(86.5) + np.float32(1e-5)]).value == "86.5"


def test_in_a_sentence_the_interval_stands_in_brackets_and_a_fall_is_a_fall():
    assert claim([1.0, 2.0, 3.0], unit="points").told == "2.0 points (95 % interval −0.5 to 4.5; 3 seeds)"
    assert claim([1.0]).told == "1.00 (1 seed)"
    assert claim([0.31, 0.32, 0.33]).course == "grows by 0.320 (95 % interval 0.295 to 0.345; 3 seeds)"
    assert claim([-0.31, -0.32, -0.33]).course == "falls by 0.320 (95 % interval 0.295 to 0.345; 3 seeds)"
    nothing = claim([np.nan])
    assert nothing.told == nothing.course == "nothing to measure"


@pytest.mark.parametrize("low, close", [(0.4996, True), (0.5004, True), (0.489, False), (0.52, False)])
def test_a_bound_that_the_last_digit_hides_is_said_to_be_there(low, close):
    said = Statement("own-figure", "name", "a statement", "a value", "an effect", above=0.5, below=1, most=1)
    found = Claim(said, 0.68, low, low + 0.36, "3 seeds")
    assert found.close == close == ("at the bound" in found.ours)
    cut = Claim(said, 0.9, 0.8, 1.0, "3 seeds")
    assert not cut.close, "an interval that ends where an effect can be"
