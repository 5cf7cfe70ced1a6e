"""Algebra of masks."""

import numpy as np
import pytest
import torch

from sifting.results import masks


def test_one_array_holds_the_masks_of_all_levels():
    removed_at = np.array([1, 2, 3, masks.NEVER], np.uint8)
    assert masks.at(removed_at, 0).all()
    assert masks.at(removed_at, 2).tolist() == [False, False, True, True]
    assert all((masks.at(removed_at, n + 1) <= masks.at(removed_at, n)).all() for n in range(4))


@pytest.mark.parametrize("array", [np.array, torch.tensor])
def test_density_alive_and_jaccard_by_hand(array):
    a, b = array([[True, False], [False, False]]), array([[True, True], [False, False]])
    assert masks.density(a) == 0.25
    assert masks.alive(a) == 0.5
    assert masks.jaccard(a, b) == 0.5
    assert masks.jaccard(a & ~a, b & ~b) == 1.0


def test_random_masks_have_jaccard_u_over_2_minus_u():
    draw = np.random.default_rng(0)
    for u in (0.1, 0.5):
        a, b = (draw.random(200_000) < u for _ in range(2))
        assert masks.jaccard(a, b) == pytest.approx(u / (2 - u), abs=0.01)


def test_jaccard_refuses_unlike_shapes():
    with pytest.raises(ValueError, match="differ in shape"):
        masks.jaccard(np.ones(3, bool), np.ones(4, bool))


def test_effective_masks_follow_every_path():
    draw = np.random.default_rng(1)
    first, second, third = (draw.random(size) < 0.1 for size in ((20, 30), (15, 20), (10, 15)))
    for layers in ((first,), (first, second), (first, second, third)):
        paths = layers[0].astype(int)
        for mask in layers[1:]:
            paths = mask.astype(int) @ paths
        assert np.array_equal(masks.effective(*layers), paths > 0)
