"""Verdicts: closed forms of the interval, and its coverage."""

import numpy as np
import pytest
from scipy import stats

from sifting.claims import check


def claim(values, **options):
    return check("X1", "a statement", "a value", "an effect", values, **options)


def test_interval_is_students():
    values = [1.0, 2.0, 4.0]
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (claim(values).low, claim(values).high) == pytest.approx(tuple(expected))


def test_verdict_follows_the_whole_interval():
    assert claim([5.0, 5.1, 4.9]).verdict == "holds"
    assert claim([-5.0, -5.1, -4.9]).verdict == "does not hold"
    assert claim([5.0, -4.0, 1.0]).verdict == "unclear"
    assert claim([5.0, 5.1, 4.9], threshold=6).verdict == "does not hold"


def test_one_seed_proves_nothing_unless_its_own_error_is_known():
    assert claim([5.0]).verdict == "unclear"
    assert claim([5.0], error=1.0).verdict == "holds"
    assert claim([5.0], error=3.0).verdict == "unclear"
    assert claim([5.0], error=float("nan")).verdict == "unclear"


def test_a_true_null_is_called_true_or_false_five_times_in_a_hundred():
    draws = np.random.default_rng(0).normal(size=(2000, 3))
    wrong = np.mean([claim(row).verdict != "unclear" for row in draws])
    assert wrong == pytest.approx(0.05, abs=0.015)


def test_no_values_is_an_error_and_nan_seeds_are_not_counted():
    with pytest.raises(ValueError, match="X1 has no values"):
        claim([])
    with pytest.raises(ValueError, match="X1 has no values"):
        claim([float("nan")])
    assert claim([1.0, 1.1, float("nan")]).over == "2 seeds"


def test_ours_says_value_interval_unit_and_seeds():
    assert claim([1.0, 2.0, 3.0], unit="points").ours == "2 points [−0.484, 4.48], 3 seeds"
    assert claim([1.0]).ours == "1, 1 seed"
