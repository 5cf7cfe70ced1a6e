"""Tickets of which something is exchanged: what stays, and what does not."""

import dataclasses

import numpy as np
import pytest

from sifting import config, store
from sifting.observables.locality import displacement_counts
from sifting.probes import exchange
from sifting.results.masks import NEVER

TINY = dataclasses.replace(
    config.preset("smoke"), steps=8, rewind_step=2, levels=3, evaluations=2, widths=(16, 8), probe_images=40,
    subsets=2,
)  # fmt: skip
SHAPE = (3, 8, 8)


@pytest.fixture(scope="module")
def mask():
    draw = np.random.default_rng(0)
    return draw.random((12, 192)) < draw.random((12, 1)) * draw.random(192)


def exchanged(mask, name):
    return exchange.EXCHANGES[name](mask, SHAPE, np.random.default_rng(1))


@pytest.mark.parametrize("name", exchange.EXCHANGES)
def test_an_exchanged_mask_keeps_as_many_weights(mask, name):
    other = exchanged(mask, name)
    assert other.shape == mask.shape and other.dtype == bool and other.sum() == mask.sum()
    assert (name in ("none", *exchange.ELSEWHERE)) == np.array_equal(other, mask)
    assert set(exchange.EXCHANGES) == set(config.SETTINGS["exchange"].choices)


@pytest.mark.parametrize("name", ["moved", "reordered", "rewired", "in-degrees"])
def test_units_keep_their_numbers_of_inputs(mask, name):
    assert np.array_equal(exchanged(mask, name).sum(1), mask.sum(1))


def test_moved_masks_keep_all_displacements_on_the_torus(mask):
    def torus(some):
        images = some.reshape(-1, *SHAPE).astype(float)
        spectrum = np.abs(np.fft.fft2(images)) ** 2
        return np.fft.ifft2(spectrum).real

    assert np.allclose(torus(exchanged(mask, "moved")), torus(mask))


def test_reordered_masks_share_as_many_inputs_and_lose_their_places(mask):
    other = exchanged(mask, "reordered")
    assert np.array_equal(other.astype(int) @ other.T, mask.astype(int) @ mask.T)
    square = np.zeros((1, *SHAPE), bool)
    square[:, :, 2:5, 2:5] = True
    near = [displacement_counts(some.reshape(1, -1), SHAPE)[0].sum() for some in (square, square)]
    assert near[0] == near[1]
    moved = exchanged(square.reshape(1, -1), "reordered").reshape(SHAPE)
    assert not np.array_equal(moved, square[0]) and np.array_equal(moved[0], moved[1]), "channels alike"


def test_rewired_masks_keep_both_degrees(mask):
    assert np.array_equal(exchanged(mask, "rewired").sum(0), mask.sum(0))


def found(**fields):
    return list(exchange.find(dataclasses.replace(TINY, **fields)))


def test_nothing_but_the_first_mask_or_the_weights_is_exchanged():
    own, other, new = found(), found(exchange="rewired"), found(treatment="reinit")
    masks = {name for name in own[0] if name.startswith("removed_at/")}
    for name in masks - {exchange.FIRST}:
        assert np.array_equal(own[1][name], other[1][name]), name
    assert not np.array_equal(own[1][exchange.FIRST], other[1][exchange.FIRST])
    assert all(np.array_equal(own[1][name], new[1][name]) for name in masks)
    for name, value in own[0].items():
        if name.startswith(("trained/", "rewind/")):
            assert np.array_equal(value, other[0][name]) and np.array_equal(value, new[0][name])


def test_the_ticket_is_that_of_iterative_pruning():
    usual = store.experiment.experiment_of("masks").find
    records = list(usual(TINY))
    last = {name: value > TINY.levels for name, value in records[-1].items() if name.startswith("removed_at")}
    begun = found()[0]
    assert all(np.array_equal(begun[name] == NEVER, mask) for name, mask in last.items())


def test_a_mask_found_on_clones_is_that_of_the_ticket_of_the_clones_and_all_else_is_of_the_images():
    """The same initialization, the same labels; only what is seen while the mask is found is another."""
    on_clones = list(store.experiment.experiment_of("masks").find(dataclasses.replace(TINY, clone="joint")))
    own, other = found(), found(exchange="clones")
    mask = on_clones[-1][exchange.FIRST] > TINY.levels
    assert np.array_equal(other[0][exchange.FIRST] == NEVER, mask)
    assert not np.array_equal(own[0][exchange.FIRST], other[0][exchange.FIRST])
    for name in own[0].keys() - {exchange.FIRST}:
        assert own[0][name].tobytes() == other[0][name].tobytes(), name
    assert not np.array_equal(own[1]["train_loss"], other[1]["train_loss"])


def test_new_weights_are_the_same_behind_every_mask_and_pruned_ones_are_none():
    kept = {}
    for name in ("none", "random"):
        record = found(exchange=name, treatment="reinit")[1]
        pruned = record[exchange.FIRST] <= 1
        assert not record["trained/linear.0.weight"][pruned].any()
        kept[name] = record
    assert not np.array_equal(kept["none"][exchange.FIRST], kept["random"][exchange.FIRST])


def test_one_that_was_interrupted_goes_on_to_the_same_bits():
    whole = found(exchange="moved")
    rest = list(exchange.find(dataclasses.replace(TINY, exchange="moved"), finished=whole[:1]))
    assert len(rest) == 1
    for name, value in whole[1].items():
        assert np.array_equal(value, rest[0][name], equal_nan=value.dtype.kind == "f"), name
