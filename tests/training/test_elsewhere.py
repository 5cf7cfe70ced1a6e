"""What trains on a device, on one that is not there: to the numbers of the CPU, and from captured steps."""

import copy
import dataclasses
import functools

import pytest
import torch

from sifting import config, data
from sifting.config import SETTINGS
from sifting.pruning.criteria import Cut, prune, saliency
from sifting.pruning.prunable import prunable
from sifting.training import engines, models
from sifting.training.engines import ENGINES
from sifting.training.reference import generator
from sifting.training.stack import Splits
from sifting.training.step import Step
from tests import elsewhere

FEW = {"val_images": 100, "test_images": 100}
BASE = config.preset("smoke", steps=5, evaluations=2, rewind_step=2, train_images=500, **FEW)
OPTIMIZERS = SETTINGS["optimizer"].choices
SMALL = {"alexnet": 0.02, "vgg11": 0.02}  # width of networks that are large


def settings_of(name, **fields):
    """A short run of the network of that name; images large enough for any."""
    if name == "fcn":
        return dataclasses.replace(BASE, **fields)
    like = {"dataset": "digits", "batch_size": 10, "prune_biases": False, "image_size": 28}
    return dataclasses.replace(BASE, model=name, width=SMALL.get(name, 0.25), **like | fields)


def trained(engine, settings, device, start=0):
    """A network on the device, trained under masks of half of its weights; and its curves."""
    images = data.load(settings, device)
    model = models.build(settings, images.shape, images.classes, generator(settings, "weights")).to(device)
    masks = {
        name: torch.ones_like(model.get_parameter(name), dtype=torch.bool)
        for name in prunable(model, settings.prune_biases)
    }
    masks = prune(masks, saliency("magnitude", Cut(model, masks)), 0.5)
    seen = []
    after = {4: lambda: seen.append(copy.deepcopy(model))}
    settled = engines.settle(engine, model, settings)
    curves = settled.train(model, masks, images, settings, 1, start, after, False)
    return [model, *seen], curves, masks


def same(here, there, tolerance=1e-5):
    """Both trained to the same numbers, up to rounding; what is on the device is still there."""
    (nets, curves, _), (others, other_curves, masks) = here, there
    for net, other in zip(nets, others, strict=True):
        for (name, value), found in zip(net.state_dict().items(), other.state_dict().values()):
            assert found.device.type != "cpu" and found.dtype == value.dtype
            torch.testing.assert_close(found.cpu(), value, rtol=tolerance, atol=tolerance, msg=name)
    for name, mask in masks.items():
        assert not others[0].get_parameter(name)[~mask].any()
    assert other_curves == {name: pytest.approx(curve, abs=1e-4) for name, curve in curves.items()}


@functools.cache
def here(engine, settings, start=0):
    """The same on the CPU."""
    return trained(engine, settings, "cpu", start)


def cases(named, devices=elsewhere.DEVICES):
    """(device, engine, settings) for each of some named settings and all that train it on a device."""
    return [
        pytest.param(device, engine, settings, id=f"{device}-{engine}-{name}")
        for name, settings in named.items()
        for engine, known in ENGINES.items()
        for device in devices
        if not known.objection(settings, device)
    ]


@pytest.mark.parametrize("device, engine, settings", cases({n: settings_of(n) for n in models.BUILDERS}))
def test_every_engine_of_a_device_trains_every_network_there_as_here(device, engine, settings, monkeypatch):
    replays = []
    monkeypatch.setattr(elsewhere.Graph, "replay", counted(elsewhere.Graph.replay, replays))
    with elsewhere.device(device, monkeypatch):
        there = trained(engine, settings, device)
    same(here(engine, settings), there)
    assert len(replays) == (settings.steps if engine == "replicas" and device == "cuda" else 0)


def counted(function, calls):
    """The function; every call of it is taken down."""

    def call(*arguments):
        calls.append(arguments)
        return function(*arguments)

    return call


FIELDS = [
    *({"batch_norm": norm} for norm in SETTINGS["batch_norm"].choices),
    *({"optimizer": name, "weight_decay": decay, "lr": 0.01} for name in OPTIMIZERS for decay in (0.0, 0.01)),
    {"momentum": 0.0},
    {"replacement": False},
    {"normalize": "mean-image"},
    *({"transform": name} for name in SETTINGS["transform"].choices),
    {"schedule": "drops"},
]


@pytest.mark.parametrize(
    "device, engine, settings", cases({str(f): settings_of("fcn", **f) for f in FIELDS}, ["cuda"])
)
def test_whatever_the_settings_a_run_is_trained_there_as_here(device, engine, settings, monkeypatch):
    with elsewhere.device(device, monkeypatch):
        there = trained(engine, settings, device, 2)
    same(here(engine, settings, 2), there)


# --- that these tests can fail


@pytest.fixture
def ready(monkeypatch):
    """Settings, and a device of CUDA."""
    with elsewhere.device("cuda", monkeypatch):
        yield settings_of("fcn")


def test_a_tensor_that_stayed_on_the_cpu_is_noticed(ready, monkeypatch):
    plain = Splits.batch

    def batch(splits, index):
        splits.start = splits.start.cpu()
        return plain(splits, index)

    monkeypatch.setattr(Splits, "batch", batch)
    with pytest.raises(RuntimeError, match="all tensors are to be on one device"):
        trained("replicas", ready, "cuda")


def test_a_step_that_waits_for_the_device_is_not_captured(ready, monkeypatch):
    plain = Step.prune

    def prune(step):
        plain(step)
        float(step.sums.sum())

    monkeypatch.setattr(Step, "prune", prune)
    with pytest.warns(UserWarning, match="for want of a CUDA graph.*_local_scalar_dense"):
        trained("replicas", ready, "cuda")


def test_a_step_that_leaves_its_buffers_is_noticed(ready, monkeypatch):
    """Captured, it goes on with those that it had."""
    plain = Step.plain

    def moved(step):
        plain(step)
        step.sums = step.sums + 0

    monkeypatch.setattr(Step, "plain", moved)
    with pytest.raises(AssertionError):
        same(here("replicas", ready), trained("replicas", ready, "cuda"))


def test_random_numbers_of_another_device_are_noticed(ready):
    draw = generator(ready, "batches")
    with pytest.raises(RuntimeError, match="device type for generator"):
        torch.randint(5, (3,), generator=draw, device="cuda")
    with pytest.raises(RuntimeError, match="device type for generator"):
        torch.nn.init.normal_(torch.zeros(3, device="cuda"), generator=draw)


def test_numpy_does_not_reach_the_device(ready):
    where = data.load(ready, "cuda").train.images.where
    with pytest.raises(TypeError, match="can't convert cuda:0 device type tensor to numpy"):
        where.numpy()
    assert where.cpu().numpy().tolist() == where.tolist()


def test_a_device_without_double_precision_refuses_it(monkeypatch):
    with elsewhere.device("mps", monkeypatch), pytest.raises(TypeError, match="Cannot convert a mps Tensor"):
        torch.ones(3, device="mps").double()
