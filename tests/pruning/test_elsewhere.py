"""What scores weights, what cuts and what a run does between its levels, on a device that is not there."""

import contextlib
import copy
import dataclasses

import pytest
import torch

from sifting import config
from sifting.config import SETTINGS
from sifting.data import Images, Split
from sifting.pruning import tickets
from sifting.pruning.criteria import CRITERIA, SCHEMES, Cut, prune, saliency
from sifting.pruning.prunable import prunable
from sifting.training import models
from tests import elsewhere

SHAPE, CLASSES, COUNT = (3, 28, 28), 6, 60
DOUBLE = ("synflow", "cavity")  # criteria that need double precision
SMALL = {"alexnet": 0.02, "vgg11": 0.02, "fcn": 1.0}
SMOKE = config.preset(
    "smoke",
    steps=5,
    evaluations=1,
    rewind_step=2,
    levels=2,
    train_images=500,
    val_images=100,
    test_images=100,
)


def cut(name, device):
    """A network without special values on the device, and all that a criterion may look at."""
    draw = torch.Generator().manual_seed(0)
    pictures = torch.randint(0, 256, (COUNT, *SHAPE), dtype=torch.uint8, generator=draw)
    labels = torch.randint(0, CLASSES, (COUNT,), generator=draw).to(device)
    images = Split(Images(pictures.to(device), torch.arange(COUNT, device=device)), labels)
    settings = config.preset("smoke", model=name, width=SMALL.get(name, 0.25))
    model = models.build(settings, SHAPE, CLASSES, draw)
    for value in model.parameters():
        torch.nn.init.normal_(value, std=0.3, generator=draw)
    masks = {
        name: (torch.rand(model.get_parameter(name).shape, generator=draw) < 0.7).to(device)
        for name in prunable(model, biases=True, head=True)
    }
    values = dict(model.to(device).named_parameters())
    return Cut(model, masks, images, draw, values, lambda: values)


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Fewer images to look at."""
    monkeypatch.setattr("sifting.pruning.criteria.SNIP_IMAGES", 100)


@pytest.mark.parametrize("device", elsewhere.DEVICES)
@pytest.mark.parametrize(
    "criterion, name",
    [
        (criterion, name)
        for criterion in CRITERIA | SCHEMES
        for name in models.BUILDERS
        if criterion in SCHEMES or name in CRITERIA[criterion].models
    ],
)
def test_every_criterion_scores_every_network_there_as_here(criterion, name, device, monkeypatch):
    scores = saliency(criterion, here := cut(name, "cpu"))
    with elsewhere.device(device, monkeypatch):
        there = cut(name, device)
        refused = device == "mps" and criterion in DOUBLE
        with pytest.raises(TypeError, match="float64") if refused else contextlib.nullcontext():
            found = saliency(criterion, there)
        if refused:
            return
        masks = prune(there.masks, found, 0.5)
    assert found.keys() == scores.keys()
    most = max(score.abs().max().item() for score in scores.values())
    for name, score in scores.items():
        assert found[name].device.type == device
        torch.testing.assert_close(found[name].cpu(), score, rtol=1e-4, atol=1e-4 * most)
    if criterion != "snip":  # in which rounding may decide which of two goes first
        expected = prune(here.masks, scores, 0.5)
        assert all(torch.equal(masks[name].cpu(), mask) for name, mask in expected.items())


FIELDS = [
    *({"treatment": name} for name in SETTINGS["treatment"].choices),
    *({"saliency_of": name} for name in SETTINGS["saliency_of"].choices),
    {"scope": "global"},
    {"iterative": False, "rounds": 2},
    {"layerwise": 2},
    {"start_density": 0.5},
    {"snapshots": 3},
    {"retrain_steps": 4},
    {"criterion": "random"},
]


@pytest.mark.parametrize("device", elsewhere.DEVICES)
@pytest.mark.parametrize("fields", FIELDS, ids=str)
def test_a_run_is_found_there_as_here_and_goes_on_where_it_was_left(fields, device, monkeypatch):
    settings = dataclasses.replace(SMOKE, **fields)
    here = list(tickets.find(settings, engine="replicas"))
    with elsewhere.device(device, monkeypatch):
        there = list(tickets.find(settings, device, engine="replicas"))
        again = list(tickets.find(settings, device, copy.deepcopy(there[:1])))
    assert len(here) == len(there) == 1 + len(again)
    for one, two in zip([*here, *here[1:]], [*there, *again], strict=True):
        assert one.keys() == two.keys()
        for name, values in one.items():
            assert (
                two[name] == pytest.approx(values, abs=1e-4)
                if values.dtype.kind == "f"
                else (two[name] == values).all()
            ), name
