"""Replicas trained together are what the reference makes of each; none feels its neighbours."""

import contextlib
import copy
import dataclasses
import itertools
import types

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from sifting import config, data
from sifting.config import SETTINGS
from sifting.data import Split
from sifting.pruning import tickets
from sifting.pruning.criteria import Cut, prune, saliency
from sifting.pruning.prunable import prunable
from sifting.training import models, replicas
from sifting.training.reference import evaluate, generator, train
from sifting.training.stack import Splits, stacked
from sifting.training.step import Step

BASE = dataclasses.replace(config.preset("smoke"), steps=20, evaluations=3, rewind_step=5)
VARIANTS = [
    *({"batch_norm": norm} for norm in SETTINGS["batch_norm"].choices),
    {"momentum": 0.0},
    {"momentum": 0.0, "weight_decay": 0.01},
    *(
        {"optimizer": name, "weight_decay": decay} | ({"lr": 0.01} if name == "adam" else {})
        for name in SETTINGS["optimizer"].choices
        for decay in (0.0, 0.01)
    ),
    {"replacement": False},
    {"normalize": "mean-image"},
    {"labels": "random", "classes": 7},
]
gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


def _batch(split, index):
    x, y = _PLAIN(split, index)
    return x.to(torch.get_default_dtype()), y


_PLAIN = Split.batch


@pytest.fixture
def double(monkeypatch):
    """Weights, and the images that the reference sees, in double precision."""
    monkeypatch.setattr(Split, "batch", _batch)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture(params=["double", "single"])
def tolerance(request, monkeypatch):
    """In double precision 1e-9. In single precision 1e-4, and networks are smooth: at the kink of a ReLU
    rounding can decide whether an image counts for a unit, which is a difference of 1e-2."""
    if request.param == "double":
        request.getfixturevalue("double")
        return 1e-9
    monkeypatch.setattr(F, "relu", F.softplus)
    return 1e-4


def different(settings):
    """Four runs that differ in all that replicas may differ in."""
    return [
        dataclasses.replace(settings, seed=3, lr=settings.lr / 4),
        dataclasses.replace(settings, seed=4, fraction=0.3, prune_fraction=0.8),
        dataclasses.replace(settings, labels="random", classes=settings.classes or 240, data_seed=1),
        dataclasses.replace(settings, prune_biases=False),
    ]


def ready(settings, device="cpu"):
    """What train takes for one replica: model, masks (of half the weights, the larger ones), data, config."""
    images = data.load(settings, device)
    model = models.build(settings, images.shape, images.classes, generator(settings, "weights")).to(device)
    parameters = dict(model.named_parameters())
    names = prunable(model, settings.prune_biases)
    masks = {name: torch.ones_like(parameters[name], dtype=torch.bool) for name in names}
    masks = prune(masks, saliency("magnitude", Cut(model, masks)), settings.prune_fraction)
    return model, masks, images, settings


def alone(some, **keywords):
    """Models and curves, each replica trained by the reference."""
    made = [ready(settings, **keywords) for settings in some]
    return [model for model, *_ in made], [train(*arguments) for arguments in made]


def together(some, **keywords):
    """Models and curves, all replicas trained at once."""
    made = list(zip(*(ready(settings, **keywords) for settings in some)))
    return made[0], replicas.train(*made)


def distance(a, b):
    """Largest difference between the states of two networks, relative to the largest value of each entry."""
    pairs = zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    return max(((x - y).abs().max() / y.abs().max().clamp(min=1e-3)).item() for x, y in pairs)


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_replicas_end_where_the_reference_takes_each(variant, tolerance):
    some = different(dataclasses.replace(BASE, **variant))
    (expected, curves), (found, other) = alone(some), together(some)
    for a, b, one, two in zip(expected, found, curves, other, strict=True):
        assert distance(b, a) < tolerance
        assert b.training and one.keys() == two.keys()
        for name, curve in one.items():
            assert two[name] == pytest.approx(curve, rel=1e-4, abs=0.011 if "accuracy" in name else 0)


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_a_stack_of_one_is_the_reference(variant, tolerance):
    settings = dataclasses.replace(BASE, **variant)
    assert distance(together([settings])[0][0], alone([settings])[0][0]) < tolerance


@pytest.mark.usefixtures("double")
def test_permuted_replicas_give_permuted_results():
    some = different(BASE)
    (models_, curves), (others, moved) = together(some), together([some[n] for n in (2, 0, 3, 1)])
    for place, n in enumerate((2, 0, 3, 1)):
        assert distance(others[place], models_[n]) < 1e-9
        assert moved[place]["train_loss"] == pytest.approx(curves[n]["train_loss"])


def test_nothing_of_a_neighbour_gets_into_a_replica():
    made = [list(zip(*map(ready, different(BASE)))) for _ in range(2)]
    with torch.no_grad():
        for value in made[1][0][1].parameters():
            value.fill_(torch.nan)
    for arguments in made:
        replicas.train(*arguments)
    assert all(p.isnan().any() for p in made[1][0][1].parameters())
    for n in (0, 2, 3):
        assert distance(made[1][0][n], made[0][0][n]) == 0


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_pruned_weights_are_exactly_zero_and_others_are_not(variant):
    made = list(zip(*map(ready, different(dataclasses.replace(BASE, **variant)))))
    replicas.train(*made)
    for model, masks in zip(*made[:2]):
        parameters = dict(model.named_parameters())
        for name, mask in masks.items():
            assert (parameters[name][~mask] == 0).all()
            assert name.endswith("bias") or (parameters[name][mask] != 0).float().mean() > 0.99


@pytest.mark.usefixtures("double")
def test_hooks_see_their_own_network_after_their_own_number_of_steps():
    seen, made = [], list(zip(*map(ready, different(BASE))))
    hooks = [{n: lambda model=model: seen.append(copy.deepcopy(model))} for n, model in enumerate(made[0])]
    replicas.train(*made, after=hooks)
    for n, settings in enumerate(different(BASE)):
        model, *rest = ready(settings)
        train(model, *rest, after={n: lambda model=model: seen.append(copy.deepcopy(model))})
    assert len(seen) == 8 and all(distance(a, b) < 1e-9 for a, b in zip(seen[:4], seen[4:]))


@pytest.mark.usefixtures("double")
def test_a_late_start_at_another_level_is_that_of_the_reference():
    made, twins = ([ready(settings) for settings in different(BASE)] for _ in range(2))
    curves = replicas.train(*zip(*made), level=2, start=7)
    for (model, *_), twin, curve in zip(made, twins, curves):
        expected = train(*twin, level=2, start=7)
        assert distance(model, twin[0]) < 1e-9
        assert curve["train_loss"] == pytest.approx(expected["train_loss"])


def test_stacked_accuracies_are_those_of_each_network():
    models_, _ = together(different(BASE))
    splits = [data.load(settings).test for settings in different(BASE)]
    expected = [evaluate(model, split) for model, split in zip(models_, splits)]
    assert replicas.evaluate(stacked(list(models_)), splits, chunk=333) == pytest.approx(expected, abs=0.003)


@pytest.mark.parametrize("mean", [False, True])
def test_batches_are_those_of_each_split_whatever_they_share(mean):
    draw = torch.Generator().manual_seed(0)
    pools = [torch.randint(256, (n, 3, 4, 4), dtype=torch.uint8, generator=draw) for n in (30, 50)]
    splits = []
    for pool, count in ((0, 30), (0, 20), (1, 50), (0, 30)):
        where = torch.randperm(len(pools[pool]), generator=draw)[:count]
        images = data.Images(pools[pool], where)
        splits.append(Split(images, torch.arange(count), data.mean_image(images) if mean else None))
    splits.append(splits[0])
    index = torch.randint(20, (7, len(splits)), generator=draw)
    x, y = Splits(splits).batch(index)
    for n, split in enumerate(splits):
        expected, labels = split.batch(index[:, n])
        assert torch.allclose(x[:, n], expected, atol=1e-6) and torch.equal(y[:, n], labels)


# --- what stacks


def test_what_differs_too_much_does_not_stack_and_says_so():
    for change in (
        {"widths": (48, 32)}, {"batch_size": 50}, {"steps": 10}, {"optimizer": "adam"}, {"momentum": 0.5},
        {"weight_decay": 0.1}, {"batch_norm": "none"}, {"image_size": 16}, {"evaluations": 1},
        {"labels": "random"}, {"replacement": False}, {"normalize": "mean-image"}, {"retrain": "rest"},
    ):  # fmt: skip
        [name] = change
        name = {"labels": "classes", "retrain": "rewind_step"}.get(name, name)
        with pytest.raises(ValueError, match=f"runs with different {name} do not stack"):
            replicas.stackable([BASE, dataclasses.replace(BASE, **change)])


def test_runs_that_may_differ_are_alike():
    assert {replicas.alike(settings) for settings in different(BASE)} == {replicas.alike(BASE)}
    assert replicas.alike(dataclasses.replace(BASE, rewind_step=0)) == replicas.alike(BASE)
    late = dataclasses.replace(BASE, retrain="rest")
    assert replicas.alike(dataclasses.replace(late, rewind_step=0)) != replicas.alike(late)


def test_networks_and_images_that_do_not_stack_raise():
    model, masks, images, settings = ready(BASE)
    wide = models.FCN([192, 50, 32, 32, 240], "before")
    with pytest.raises(ValueError, match="differ in shape"):
        replicas.train([model, wide], [masks, {}], [images] * 2, [settings] * 2)
    with pytest.raises(ValueError, match="kinds ConvNet, FCN stack, not Linear"):
        replicas.train([nn.Linear(192, 240)], [{}], [images], [settings])
    with pytest.raises(ValueError, match="numbers of models"):
        replicas.train([model], [masks, masks], [images], [settings])
    with pytest.raises(ValueError, match="no runs"):
        replicas.train([], [], [], [])
    few = data.load(dataclasses.replace(BASE, fraction=0.02))
    with pytest.raises(ValueError, match="batch sizes do not stack: 40, 100"):
        settings = dataclasses.replace(settings, replacement=False)
        replicas.train([model] * 2, [masks] * 2, [images, few], [settings] * 2)
    with pytest.raises(ValueError, match="by a mean and by themselves"):
        Splits([images.train, dataclasses.replace(images.train, mean=torch.zeros(192))])


# --- the captured step


@contextlib.contextmanager
def _no_graph(*_, **__):
    raise RuntimeError("operation not permitted when stream is capturing")
    yield


@pytest.mark.parametrize("optimizer", SETTINGS["optimizer"].choices)
def test_a_capture_that_fails_warns_and_leaves_no_trace(optimizer, monkeypatch):
    stream = types.SimpleNamespace(wait_stream=lambda other: None)
    stubs = {"CUDAGraph": lambda: types.SimpleNamespace(replay=None), "Stream": lambda: stream}
    stubs |= {"current_stream": lambda: stream, "stream": contextlib.nullcontext, "graph": _no_graph}
    for name, stub in stubs.items():
        monkeypatch.setattr(torch.cuda, name, stub)
    states = []
    for captured in (False, True):
        made = list(zip(*map(ready, different(dataclasses.replace(BASE, optimizer=optimizer)))))
        stack, splits = stacked(made[0]), Splits([images.train for images in made[2]])
        step = Step(stack, splits, made[1], made[3], BASE.batch_size)
        if captured:
            with pytest.warns(UserWarning, match="for want of a CUDA graph: operation not permitted"):
                assert step.capture() is None
            for some in step.optimizers:  # Adam on a CPU would mind
                some.param_groups[0]["capturable"] = False
        for n in range(5):
            step.index.fill_(n).add_(torch.arange(BASE.batch_size)[:, None])
            step()
        states.append([step.sums, *(value.detach() for value in stack.values.values())])
    assert all(torch.equal(a, b) for a, b in zip(*states))


def test_the_precision_of_products_is_as_before_even_after_an_error():
    before = torch.backends.cuda.matmul.fp32_precision
    with pytest.raises(KeyError), replicas.tf32():
        assert torch.backends.cuda.matmul.fp32_precision == "tf32"
        raise KeyError
    assert torch.backends.cuda.matmul.fp32_precision == before != "tf32"


@gpu
@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_replayed_steps_are_the_plain_ones(variant, monkeypatch):
    some = different(dataclasses.replace(BASE, **variant))
    captured, _ = together(some, device="cuda")
    monkeypatch.setattr(Step, "capture", lambda step: None)
    plain, _ = together(some, device="cuda")
    assert all(distance(a, b) < 1e-4 for a, b in zip(captured, plain))


@gpu
@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_on_a_gpu_too_replicas_are_those_of_the_reference(variant, monkeypatch):
    monkeypatch.setattr(replicas, "tf32", contextlib.nullcontext)
    monkeypatch.setattr(F, "relu", F.softplus)
    some = different(dataclasses.replace(BASE, **variant))
    pairs = zip(alone(some, device="cuda")[0], together(some, device="cuda")[0])
    assert all(distance(b, a) < 1e-4 for a, b in pairs)


# --- the experiment


def records(settings, finished=()):
    """Per run its records, those of before included."""
    found = [list(some) for some in finished] or [[] for _ in settings]
    for rows in tickets.find_together(settings, finished=finished):
        for some, row in zip(found, rows, strict=True):
            some += [row] if row else []
    return found


EXPERIMENT = [
    dataclasses.replace(BASE, levels=3),
    dataclasses.replace(BASE, levels=1, seed=1, lr=0.05),
    dataclasses.replace(BASE, levels=3, criterion="random", rewind_step=0),
    dataclasses.replace(BASE, levels=3, iterative=False, fraction=0.5),
    dataclasses.replace(BASE, levels=6, prune_fraction=0.9, min_alive=0.9),
]


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("retrain", SETTINGS["retrain"].choices)
def test_runs_found_together_are_those_found_alone(retrain):
    some = [dataclasses.replace(settings, retrain=retrain) for settings in EXPERIMENT]
    some = [settings for settings in some if retrain == "full" or settings.rewind_step]
    for settings, found in zip(some, records(some), strict=True):
        expected = list(tickets.find(settings, engine="reference"))
        assert (found[0].pop("engine"), expected[0].pop("engine")) == (f"replicas {len(some)}", "reference")
        assert len(found) == len(expected)
        for a, b in zip(found, expected):
            assert a.keys() == b.keys()
            for name in a:
                exact = name.startswith("removed_at") or name == "shape"
                assert np.array_equal(a[name], b[name]) if exact else np.allclose(a[name], b[name], rtol=1e-5)


def test_runs_go_on_together_to_the_same_bits():
    some = [dataclasses.replace(settings, levels=3) for settings in EXPERIMENT[:4]]
    whole = records(some)
    for stop in (1, 3):
        again = records(some, [found[:stop] for found in whole])
        for a, b in zip(itertools.chain(*again), itertools.chain(*whole), strict=True):
            assert a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def test_runs_that_are_behind_go_first_and_ended_ones_drop_out():
    some = EXPERIMENT[:2]
    whole = records(some)
    rows = list(tickets.find_together(some, finished=[whole[0][:2], []]))
    shape = [[row is not None for row in pair] for pair in rows]
    assert shape == [[False, True], [False, True], [True, False], [True, False]]
    assert not list(tickets.find_together(some, finished=whole))


def test_images_in_common_are_loaded_once(monkeypatch):
    loaded = []
    monkeypatch.setattr(tickets, "load", lambda *a: loaded.append(a) or data.load(*a))
    list(tickets.find_together([dataclasses.replace(settings, levels=0) for settings in EXPERIMENT]))
    assert len(loaded) == 2


def test_runs_that_do_not_stack_are_refused_before_anything_is_loaded():
    with pytest.raises(ValueError, match="different steps do not stack: 20, 30"):
        next(tickets.find_together([BASE, dataclasses.replace(BASE, steps=30)]))
