"""The experiment: nested masks, exact densities, exact resumption, one-shot, the stop."""

import dataclasses

import numpy as np
import pytest

from sifting import config, tickets

SMOKE = config.preset("smoke")
VARIANTS = [
    {},
    {"iterative": False},
    {"retrain": "rest"},
    {"rewind_step": 0},
    {"scope": "global"},
    {"criterion": "random"},
    {"batch_norm": "before", "prune_biases": False},
    {"criterion": "snip", "saliency_of": "rewound", "scope": "global", "iterative": False, "rewind_step": 0},
    {"criterion": "synflow", "saliency_of": "rewound", "scope": "global", "rounds": 7, "prune_biases": False},
]


def run(settings, finished=()):
    return list(finished) + list(tickets.find(settings, finished=list(finished)))


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name], equal_nan=True) for name in a)


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_a_run_that_goes_on_from_any_level_gives_the_same_bits(variant):
    settings = dataclasses.replace(SMOKE, levels=3, **variant)
    whole = run(settings)
    for stop in range(1, 4):
        again = run(settings, whole[:stop])
        assert len(again) == len(whole) and all(same(a, b) for a, b in zip(whole, again))


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_masks_are_nested_counts_exact_and_pruned_weights_zero(variant):
    settings = dataclasses.replace(SMOKE, **variant)
    records = run(settings)
    names = [name for name in records[0] if name.startswith("removed_at/")]
    pools = {}
    for name in names:
        pools.setdefault("" if settings.scope == "global" else name.rpartition(".")[0], []).append(name)
    for pool in pools.values():
        sizes = [
            sum(int((records[-1][name] > level).sum()) for name in pool) for level in range(len(records))
        ]
        for before, after in zip(sizes, sizes[1:]):
            exact = int(settings.prune_fraction * before)
            assert exact - settings.rounds < before - after <= exact
    for level, record in enumerate(records):
        for name in names:
            trained = record[name.replace("removed_at", "trained")]
            assert (trained[records[-1][name] <= level] == 0).all()


def test_rewinding_returns_to_the_weights_after_rewind_step():
    short = dataclasses.replace(SMOKE, levels=0, steps=SMOKE.rewind_step, rewind_step=0, evaluations=1)
    [dense] = run(short)
    first = run(dataclasses.replace(SMOKE, levels=0))[0]
    for name in first:
        if name.startswith("rewind/"):
            assert np.array_equal(first[name], dense[name.replace("rewind", "trained")])


def test_one_shot_cuts_the_dense_network_at_every_level():
    records = run(dataclasses.replace(SMOKE, iterative=False, prune_biases=False))
    dense = np.abs(records[0]["trained/linear.0.weight"])
    for level in range(1, len(records)):
        kept = records[-1]["removed_at/linear.0.weight"] > level
        assert dense[~kept].max() <= dense[kept].min()


def test_random_pruning_ignores_magnitude():
    records = run(dataclasses.replace(SMOKE, criterion="random", levels=1))
    dense, kept = np.abs(records[0]["trained/linear.0.weight"]), records[1]["removed_at/linear.0.weight"] > 1
    assert dense[kept].mean() == pytest.approx(dense[~kept].mean(), rel=0.05)


def test_a_run_ends_when_too_few_units_are_alive():
    settings = dataclasses.replace(SMOKE, prune_fraction=0.9, levels=6, min_alive=0.9)
    records = run(settings)
    assert 1 < len(records) < 7
    last = [records[-1][f"removed_at/linear.{n}.weight"] for n in range(3)]
    assert min((mask > len(records)).any(1).mean() for mask in last) < 0.9, (
        "the next masks would have been too thin"
    )
    assert min((mask > len(records) - 1).any(1).mean() for mask in last) >= 0.9
    assert not list(tickets.find(settings, finished=records)), "a run that has ended stays ended"


def test_seeds_change_the_masks():
    a, b = (
        run(dataclasses.replace(SMOKE, levels=1, seed=seed))[1]["removed_at/linear.0.weight"]
        for seed in (0, 1)
    )
    assert not np.array_equal(a, b)


def test_a_packed_run_says_what_the_records_say():
    records = run(SMOKE)
    packed = tickets.pack(records, SMOKE)
    assert packed["removed_at/linear.0.weight"].dtype == np.uint8
    kept = packed["removed_at/linear.0.weight"] > 2
    assert np.array_equal(kept, records[-1]["removed_at/linear.0.weight"] > 2)
    trained = records[2]["trained/linear.0.weight"][kept]
    assert np.array_equal(packed["trained/2/linear.0.weight"], trained.astype(np.float16))
    assert packed["val_accuracy"].shape == (len(records), SMOKE.evaluations)
    assert np.array_equal(packed["val_accuracy"][1], records[1]["val_accuracy"])
    assert tuple(packed["shape"]) == (3, 8, 8)


def test_pruning_before_training_does_not_look_at_what_was_trained():
    before = dict(criterion="snip", saliency_of="rewound", scope="global", rewind_step=0, prune_biases=False)
    settings = dataclasses.replace(SMOKE, levels=2, iterative=False, **before)
    longer = dataclasses.replace(settings, steps=2 * settings.steps)
    name = "removed_at/linear.0.weight"
    one, two = run(settings)[-1][name], run(longer)[-1][name]
    assert np.array_equal(one, two)
    trained = dataclasses.replace(settings, saliency_of="trained")
    assert not np.array_equal(one, run(trained)[-1][name])


def test_many_rounds_keep_other_weights_than_one_where_scores_change():
    flow = dict(criterion="synflow", saliency_of="rewound", scope="global", rewind_step=0, prune_biases=False)
    once, often = (run(dataclasses.replace(SMOKE, levels=1, rounds=n, **flow))[-1] for n in (1, 20))
    name = "removed_at/linear.0.weight"
    assert not np.array_equal(once[name], often[name])
