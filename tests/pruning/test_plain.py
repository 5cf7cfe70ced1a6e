"""The algorithm on one page is the one that all results come from."""

import dataclasses

import numpy as np
import pytest

from sifting import config
from sifting.pruning import plain, tickets

SMOKE = config.preset("smoke", min_alive=0)
LENET = config.preset("smoke", family="lenet", rounding="down", min_alive=0, levels=3)


@pytest.mark.parametrize("prune_biases", [True, False])
@pytest.mark.parametrize("scope", config.SETTINGS["scope"].choices)
@pytest.mark.parametrize(
    "settings",
    [
        SMOKE,
        dataclasses.replace(SMOKE, rewind_step=0, momentum=0.0, batch_norm="after"),
        dataclasses.replace(SMOKE, optimizer="adam", lr=0.001, prune_head=True, seed=3),
        dataclasses.replace(SMOKE, weight_decay=0.01, schedule="drops", replacement=False, reshuffle=False),
        dataclasses.replace(SMOKE, batch_norm="none", prune_fraction=0.37, labels="picture"),
        LENET,
    ],
    ids=range(6),
)
def test_masks_weights_and_curves_are_those_of_tickets_at_every_level(settings, scope, prune_biases):
    settings = dataclasses.replace(settings, scope=scope, prune_biases=prune_biases)
    records = list(tickets.find(settings, engine="reference"))
    last, level = records[-1], -1
    for level, (masks, model, curves) in enumerate(plain.imp(settings)):
        for name, values in model.state_dict().items():
            assert np.array_equal(values, records[level][f"trained/{name}"])
        for name, mask in masks.items():
            assert np.array_equal(mask, last[f"removed_at/{name}"] > level)
        for name, curve in curves.items():
            assert np.array_equal(np.float32(curve), records[level][name])
        assert len(masks) == sum(name.startswith("removed_at/") for name in last)
    assert level == settings.levels == len(records) - 1
