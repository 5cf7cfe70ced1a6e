"""Images on a device that is not there are those of the CPU."""

import dataclasses

import pytest
import torch

from sifting import config, data
from sifting.config import SETTINGS
from tests import elsewhere

SMOKE = config.preset("smoke", labels="picture", val_images=50, test_images=50)
CASES = [
    {name: value}
    for name in ("normalize", "transform", "clone", "labels")
    for value in SETTINGS[name].choices
    if value != "scattered"
]


@pytest.mark.parametrize("device", elsewhere.DEVICES)
@pytest.mark.parametrize("fields", CASES, ids=str)
def test_batches_there_are_those_of_here(fields, device, monkeypatch):
    classes = {"classes": 7} if fields == {"labels": "random"} else {}
    settings = dataclasses.replace(SMOKE, **fields, **classes)
    here = data.load(settings)
    with elsewhere.device(device, monkeypatch):
        there = data.load(settings, device)
        for split in ("train", "val", "test"):
            one, two = getattr(here, split), getattr(there, split)
            index = torch.tensor([0, 5, 11, len(one) - 1])
            (x, y), (x2, y2) = one.batch(index), two.batch(index.to(device))
            assert len(two) == len(one) and x2.device.type == y2.device.type == device
            assert torch.equal(y2.cpu(), y)
            torch.testing.assert_close(x2.cpu(), x, rtol=1e-5, atol=1e-5)
