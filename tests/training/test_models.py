"""Networks: what every model that is registered must do, whatever it is made of."""

import itertools

import numpy as np
import pytest
import torch

from sifting import config
from sifting.pruning import tickets
from sifting.pruning.prunable import prunable
from sifting.training import models
from sifting.training.models import BUILDERS
from sifting.training.stack import STACKS, stacked

CLASSES = 7
SMALL = {"width": 1 / 16, "widths": (12, 8)}  # of whatever has one of them


def network(name, shape, seed=0):
    settings = config.preset("smoke", model=name, **SMALL)
    return models.build(settings, shape, CLASSES, torch.Generator().manual_seed(seed))


def images(shape, *count):
    return torch.randn(*count, torch.Size(shape).numel(), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", BUILDERS)
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 16, 16), (3, 32, 32)], ids=str)
def test_a_network_has_an_output_a_class_and_hangs_on_its_generator_alone(name, shape):
    model, same, other = (network(name, shape, seed) for seed in (0, 0, 1))
    x = images(shape, 5)
    assert model(x).shape == (5, CLASSES) and model(x).isfinite().all()
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), same.parameters(), strict=True))
    assert not torch.equal(model(x), other(x))
    model.eval()
    torch.testing.assert_close(model(x)[:2], model(x[:2]), rtol=1e-4, atol=1e-5)  # no image sees another


@pytest.mark.parametrize("name", [name for name in BUILDERS if models.kind(name) is models.ConvNet])
def test_relu_behind_the_maxima_is_relu_before_them_to_the_bit(name):
    model, found = network(name, (3, 32, 32)), []
    layers = list(model.named_children())
    pooled = [place for place, (layer, _) in enumerate(layers) if layer.endswith("_pool")]
    for place in pooled:
        layers[place : place + 2] = layers[place + 1], layers[place]
    plain = models.ConvNet(model.shape, dict(layers))
    plain.innermost = model.innermost
    x = images(model.shape, 6)
    x[0], x[1, ::2] = 0, 0  # many values of a map are equal then, and ties must be broken alike
    for one in (model, plain):
        logits = one(x)
        found.append([logits, *torch.autograd.grad(logits.logsumexp(1).sum(), list(one.parameters()))])
    assert pooled and found[0][1].any(), "there are maxima, and gradients go through them"
    assert all(torch.equal(*pair) for pair in zip(*found, strict=True))


@pytest.mark.parametrize("name", BUILDERS)
def test_all_weights_can_be_pruned_and_those_of_the_output_layer_if_asked(name):
    model = network(name, (3, 16, 16))
    weights = [other for other, value in model.named_parameters() if value.ndim > 1]
    assert prunable(model, biases=False, head=True) == weights
    *inner, last = weights
    assert prunable(model, biases=False) == inner and len(model.get_parameter(last)) == CLASSES
    biased = set(prunable(model, biases=True)) - set(inner)
    assert all(model.get_parameter(other).ndim == 1 for other in biased)


@pytest.mark.parametrize("name", [name for name in BUILDERS if models.kind(name) in STACKS])
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 16, 16)], ids=str)
def test_stacked_networks_put_out_what_each_does(name, shape):
    nets = [network(name, shape, seed) for seed in range(3)]
    x = images(shape, 4, 3)
    with torch.no_grad():
        together = stacked(nets).forward(x, training=True)
        apart = torch.stack([net(x[:, n]) for n, net in enumerate(nets)], 1)
    torch.testing.assert_close(together, apart, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", BUILDERS)
def test_a_run_of_every_model_prunes_and_goes_on_to_the_same_bits(name):
    settings = config.preset("smoke", family="lenet", model=name, levels=2, steps=3, batch_size=20, **SMALL)
    whole = list(tickets.find(settings))
    assert len(whole) == 3
    rest = list(tickets.find(settings, finished=list(itertools.islice(tickets.find(settings), 1))))
    for one, again in zip(whole[1:], rest, strict=True):
        assert one.keys() == again.keys() and all(np.array_equal(one[key], again[key]) for key in one)
    for key, removed in whole[2].items():
        if key.startswith("removed_at/"):
            kept = removed.size
            for level, record in enumerate(whole):
                kept -= round(settings.prune_fraction * kept) if level else 0
                assert (removed > level).sum() == kept
                assert not record[key.replace("removed_at", "trained")][removed <= level].any()


def test_the_preset_of_every_family_trains_the_network_it_is_named_for():
    for family, presets in config.FAMILIES.items():
        assert list(presets) == list(config.PRESETS)
        assert {one.model for one in presets.values()} == {"fcn" if family == "fashion" else family}
        for one in presets.values():
            tickets.check(one)
