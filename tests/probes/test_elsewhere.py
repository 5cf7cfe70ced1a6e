"""What is measured of runs, on a device that is not there: to the numbers of the CPU."""

import contextlib
import dataclasses
import functools

import numpy as np
import pytest

from sifting import config, store
from sifting.store.experiment import EXPERIMENTS, experiment_of
from tests import elsewhere

FEW = {"steps": 4, "evaluations": 1, "rewind_step": 1, "levels": 2, "val_images": 100, "test_images": 100}
PROBED = {"subsets": 2, "probe_images": 40, "cells": 2, "snapshots": 2}
SMOKE = config.preset("smoke", train_images=400, **FEW, **PROBED)
DOUBLE = ("representation", "portrait", "exchange")  # kinds that need double precision
CASES = {(kind, "fcn"): SMOKE for kind in EXPERIMENTS}
CASES["likeness", "fcn"] = dataclasses.replace(SMOKE, clone="pixels", train_images=2_000)
CASES |= {  # of kinds that take any network
    (kind, name): config.preset("smoke", family=name, **FEW | PROBED | {"levels": 1, "probe_images": 10})
    for kind in ("ticket", "evolution", "utility", "surface")
    for name in ("lenet", "vanilla", "resnet20")
}


@functools.cache
def measured(kind, settings, device="cpu"):
    """What is kept of a run."""
    made = experiment_of(kind)
    return made.pack(list(made.find(settings, device, engine="reference")), settings)


@pytest.mark.parametrize(
    "device, kind, name",
    [
        (device, *case)
        for device in elsewhere.DEVICES
        for case in CASES
        if device == "cuda" or case[1] == "fcn"
    ],
)
def test_whatever_is_measured_there_is_what_is_measured_here(device, kind, name, results, monkeypatch):
    settings = CASES[kind, name]
    if kind in ("anatomy", "stimuli"):  # of a stored run
        store.load_or_run("shown", [settings], "cpu", engine="reference")
        monkeypatch.setattr("sifting.store.schedule.resolve", lambda device: device)
    here = measured(kind, settings)
    with elsewhere.device(device, monkeypatch):
        refused = device == "mps" and kind in DOUBLE
        with pytest.raises(TypeError, match="float64") if refused else contextlib.nullcontext():
            there = measured(kind, settings, device)
    if refused:
        return
    assert here.keys() == there.keys()
    for name, values in here.items():
        if values.dtype.kind == "f":
            np.testing.assert_allclose(there[name], values, rtol=2e-3, atol=2e-3, err_msg=name)
        elif name == "votes":  # rounded
            assert abs(there[name].astype(int) - values).max() <= 1
        else:
            np.testing.assert_array_equal(there[name], values, err_msg=name)
