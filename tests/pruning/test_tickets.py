"""The experiment: nested masks, exact densities, exact resumption, one-shot, the stop."""

import dataclasses

import numpy as np
import pytest

from sifting import config
from sifting.config import SETTINGS
from sifting.pruning import tickets
from sifting.pruning.criteria import CRITERIA, ROUNDING, SCHEMES
from sifting.results import packing
from sifting.training import engines

SMOKE = config.preset("smoke")
VARIANTS = [
    {},
    {"iterative": False},
    {"rewind_step": 0},
    {"prune_head": True, "prune_biases": False},
    {"criterion": "random"},
    {"criterion": "snip", "saliency_of": "rewound", "scope": "global", "iterative": False, "rewind_step": 0},
    {"criterion": "synflow", "saliency_of": "rewound", "scope": "global", "rounds": 7, "prune_biases": False},
    {"treatment": "lr-rewind", "saliency_of": "rewound"},
    {"treatment": "finetune", "iterative": False},
    *(  # everything that can be chosen of how a run trains and prunes
        {name: choice}
        for name, setting in SETTINGS.items()
        if setting.of in ("network", "training", "pruning")
        for choice in setting.choices
        if choice != getattr(SMOKE, name)
    ),
]
RANKED = [  # by everything that ranks the weights of such a network
    {"criterion": name}
    for name in CRITERIA | SCHEMES
    if name in SCHEMES or SMOKE.model in CRITERIA[name].models
]


def run(settings, finished=(), engine="auto"):
    return [*finished, *tickets.find(settings, finished=list(finished), engine=engine)]


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name], equal_nan=True) for name in a)


@pytest.mark.parametrize("variant", [*VARIANTS, *RANKED], ids=str)
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
            exact = ROUNDING[settings.rounding](settings.prune_fraction, before)
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
    packed = packing.pack(records, SMOKE)
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


# --- one layer at a time

TURNS = dataclasses.replace(SMOKE, layerwise=2, levels=9, min_alive=0)


@pytest.fixture
def judged(monkeypatch):
    """A run of TURNS whose best validation accuracies are dictated.

    3 is that of the dense network; what is not above it is taken back.
    """
    verdicts = [3, 4, 5, 3, 4, 2, 9]

    def train(model, masks, data, config, level, *rest):
        curves = original.train(model, masks, data, config, level, *rest)
        return curves | {"val_accuracy": [0.0, verdicts[level] / 10, 0.1]}

    original = engines.ENGINES["reference"]
    monkeypatch.setitem(engines.ENGINES, "reference", dataclasses.replace(original, train=train))
    return run(TURNS, engine="reference")


def kept(record, layer, level):
    return record[f"removed_at/linear.{layer - 1}.weight"] > level


def test_one_layer_is_pruned_at_a_time_and_frozen_where_it_last_beat_the_dense_network(judged):
    assert len(judged) == 6, "the run ends when the second layer has been taken back"
    packed = packing.pack(judged, TURNS)
    assert packed["layer"].tolist() == [0, 1, 1, 1, 2, 2]
    assert packed["taken_back"].tolist() == [False, False, False, True, False, True]
    assert packed["tried"] == pytest.approx([1, 0.5, 0.25, 0.125, 0.5, 0.25], abs=0.03)
    last = judged[-1]
    assert (kept(last, 1, 2) == kept(last, 1, 9)).all() and kept(last, 1, 9).mean() == pytest.approx(
        0.25, abs=0.03
    )
    assert kept(last, 2, 3).all() and kept(last, 2, 9).mean() == pytest.approx(0.5, abs=0.03)
    assert kept(last, 3, 9).all(), "the third layer has no turn"


def test_the_next_layer_is_pruned_by_the_weights_of_the_last_good_network(judged):
    gone = ~kept(judged[3], 2, 4)
    good, bad = (np.abs(judged[level]["trained/linear.1.weight"]) for level in (2, 3))
    assert good[gone].max() <= good[~gone].min() and bad[gone].max() > bad[~gone].min()


def test_a_layer_that_is_taken_back_is_trained_with_what_it_had(judged):
    tried = judged[2]["removed_at/linear.0.weight"] > 3
    assert not judged[3]["trained/linear.0.weight"][~tried].any()
    assert judged[4]["trained/linear.0.weight"][kept(judged[-1], 1, 4) & ~tried].all()


@pytest.mark.parametrize("stop", range(1, 7))
def test_a_layerwise_run_goes_on_from_any_level_to_the_same_bits(judged, stop):
    again = run(TURNS, judged[:stop])
    assert len(again) == len(judged) and all(same(a, b) for a, b in zip(judged, again))


def test_a_network_is_kept_with_the_weights_of_the_level_that_came_out(judged):
    packed, whole = packing.pack_network(judged, TURNS), packing.pack(judged, TURNS)
    assert {name.split("/")[1] for name in packed if name.startswith("trained/")} == {"4"}
    assert all(np.array_equal(packed[name], whole[name]) for name in packed)
    together = run(dataclasses.replace(SMOKE, levels=1))
    names = packing.pack_network(together, SMOKE)
    assert {name.split("/")[1] for name in names if name.startswith("trained/")} == {"1"}
    assert not {"layer", "tried", "taken_back"} & set(names)


def test_of_what_is_shown_the_first_layer_is_kept_at_every_level_and_the_rest_at_three(judged):
    shown, whole = packing.pack_shown(judged, TURNS), packing.pack(judged, TURNS)
    last = len(judged) - 1
    left_out = {name for name in whole if name.startswith("rewind/")} | {
        name
        for name in whole
        for level in set(range(last + 1)) - {round(last / 2), round(0.75 * last), last}
        if name.startswith(f"trained/{level}/") and not name.endswith("/linear.0.weight")
    }
    assert set(shown) == set(whole) - left_out
    assert all(np.array_equal(shown[name], whole[name], equal_nan=True) for name in shown)


def test_layers_that_there_are_not_have_no_turn():
    with pytest.raises(ValueError, match="layerwise must be at most 3 hidden layers, not 4"):
        dataclasses.replace(SMOKE, layerwise=4)
