"""Engines against the reference loop: same parameters, statistics and curves, whatever the masks."""

import copy
import dataclasses

import pytest
import torch

from sifting import config, data, models
from sifting.engines import ENGINES, sparse, threshold
from sifting.train import generator, train

SMOKE = dataclasses.replace(config.preset("smoke"), steps=20, evaluations=2, rewind_step=0)
TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-4}


@pytest.fixture(scope="module")
def images():
    return data.load(dataclasses.replace(SMOKE, train_images=500, val_images=200, test_images=200))


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SIFTING_CACHE", str(tmp_path))


@pytest.fixture(params=[0.0, 1.0], ids=["dense", "sparse"])
def form(request, monkeypatch):
    """Every layer that is pruned kept in one form, whatever is faster."""
    monkeypatch.setattr(sparse, "threshold", lambda *_: request.param)


class Cast(data.Split):
    """A split whose images have another dtype."""

    def batch(self, index):
        x, y = super().batch(index)
        return x.to(self.dtype), y


def cast(images, dtype):
    splits = {name: Cast(**vars(getattr(images, name))) for name in ("train", "val", "test")}
    for split in splits.values():
        split.dtype = dtype
    return dataclasses.replace(images, **splits)


def setting(images, dtype, density=0.03, biases=True, **fields):
    """A network with weights, statistics and biases of no special value, and masks with dead units of each kind."""
    settings = dataclasses.replace(SMOKE, prune_biases=biases, **fields)
    model = models.build(settings, images.shape, images.classes, generator(settings, "weights"))
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, value in model.named_parameters():
            if value.ndim == 1:
                value += 0.3 * torch.randn(value.shape, generator=draw)
    masks = {}
    for name, value in model.named_parameters():
        if name in models.prunable(model, biases):
            rich = 10 ** (0.7 * torch.randn(len(value), generator=draw))  # in-degrees with a heavy tail
            if value.ndim == 2:
                odds = rich[:, None] * 10 ** (0.5 * torch.randn(value.shape[1], generator=draw))
                masks[name] = torch.rand(value.shape, generator=draw) < density * odds / odds.mean()
                masks[name][:3] = False  # units without inputs
                masks[name][:, 2:7] = False  # units without outputs, two of them without inputs
            else:
                masks[name] = torch.rand(len(value), generator=draw) < 0.5
    return settings, model.to(dtype), masks


def pair(engine, images, dtype, after=(), start=0, **fields):
    """(model, curves, what the callbacks saw) by the reference and by the engine."""
    settings, model, masks = setting(images, dtype, **fields)
    results = []
    for loop in (train, ENGINES[engine]):
        net, seen = copy.deepcopy(model), []
        calls = {n: lambda: seen.append([v.detach().clone() for v in net.parameters()]) for n in after}
        curves = loop(net, masks, cast(images, dtype), settings, 1, start, calls)
        results.append((net, curves, seen))
    return *results, masks


def compare(a, b, masks, tolerance):
    (model, curves, seen), (other, other_curves, other_seen) = a, b
    for (name, value), found in zip(model.state_dict().items(), other.state_dict().values()):
        torch.testing.assert_close(found, value, rtol=tolerance, atol=tolerance, msg=lambda m: f"{name}: {m}")
        if name in masks:
            assert (found[~masks[name]] == 0).all()
    assert len(seen) == len(other_seen)
    for one, two in zip(sum(seen, []), sum(other_seen, [])):
        torch.testing.assert_close(two, one, rtol=tolerance, atol=tolerance)
    assert curves.keys() == other_curves.keys()
    for name, curve in curves.items():
        assert other_curves[name] == pytest.approx(curve, abs=tolerance if "loss" in name else 0.006)


OPTIMIZERS = [
    {"momentum": 0.0},
    {"momentum": 0.9, "weight_decay": 0.01},
    {"optimizer": "adam", "lr": 0.001},
    {"optimizer": "adam", "lr": 0.001, "weight_decay": 0.01},
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
@pytest.mark.parametrize("biases", [True, False], ids=["biases", "weights"])
@pytest.mark.parametrize("norm", ["before", "after", "none"])
def test_twenty_steps_are_those_of_the_reference(engine, images, form, dtype, optimizer, biases, norm):
    *both, masks = pair(engine, images, dtype, biases=biases, batch_norm=norm, **optimizer)
    compare(*both, masks, TOLERANCE[dtype])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("norm", ["before", "after", "none"])
@pytest.mark.parametrize("density", [1.0, 0.3, 0.1, 0.01, 0.003, 0.0])
@pytest.mark.parametrize("widths", [(20,), (30, 20), (40, 30, 30, 20)], ids=str)
def test_every_depth_and_density(engine, images, form, norm, density, widths):
    *both, masks = pair(
        engine, images, torch.float64, density=density, batch_norm=norm, widths=widths, momentum=0.9
    )
    compare(*both, masks, 1e-9)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("norm", ["before", "after", "none"])
def test_a_late_start_and_callbacks(engine, images, form, norm):
    *both, masks = pair(engine, images, torch.float64, after=(7, 9, 20), start=7, batch_norm=norm)
    assert len(both[0][2]) == 3 and len(both[0][1]["val_accuracy"]) == 2
    compare(*both, masks, 1e-9)


@pytest.mark.parametrize("engine", ENGINES)
def test_twice_the_same_gives_the_same_bits(engine, images):
    settings, model, masks = setting(images, torch.float32)
    nets = [copy.deepcopy(model) for _ in range(2)]
    curves = [ENGINES[engine](net, masks, images, settings) for net in nets]
    assert curves[0] == curves[1]
    assert all(torch.equal(a, b) for a, b in zip(nets[0].state_dict().values(), nets[1].state_dict().values()))
