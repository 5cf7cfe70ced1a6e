"""Verdicts: closed forms of the interval, and its coverage."""

import numpy as np
import pytest
from scipy import stats

from sifting.publish.catalog import Statement, statements
from sifting.publish.claims import check, surviving


def claim(values, against=None, error=np.nan, **said):
    """What becomes of a statement on such values; it says that they lie above 0, if nothing else is said."""
    said = said if {"above", "below"} & said.keys() else {"above": 0} | said
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
    points = next(one for one in statements().values() if one.unit == "points")
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


def test_p_is_that_of_the_nearest_bound_and_decides_as_the_interval_does():
    values = [1.0, 2.0, 4.0]
    assert claim(values).p == pytest.approx(stats.ttest_1samp(values, 0).pvalue)
    assert claim(values, above=3).p == pytest.approx(stats.ttest_1samp(values, 3).pvalue)
    assert claim(values, above=-9, below=3).p == pytest.approx(stats.ttest_1samp(values, 3).pvalue)
    assert claim(values, against=[0.0, 0.5]).p == pytest.approx(stats.ttest_ind(values, [0.0, 0.5]).pvalue)
    assert claim([5.0], error=2.0).p == pytest.approx(2 * stats.norm.sf(2.5))
    assert claim([5.0], error=0).p == 0 and np.isnan(claim([5.0]).p) and np.isnan(claim([]).p)
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


def test_ours_says_value_interval_unit_and_seeds():
    assert claim([1.0, 2.0, 3.0], unit="points").ours == "2.00 points [−0.48, 4.48], 3 seeds"
    assert claim([1.0, 1.0004], above=1).ours == "1.00020 [0.99766, 1.00274], 2 seeds"
    assert claim([1.0]).ours == "1.0, 1 seed"
    assert claim([0.31, 0.32, 0.33]).ours == "0.320 [0.295, 0.345], 3 seeds"
