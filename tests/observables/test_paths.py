"""Weights that can matter, against brute force: which of them change what a small network says?"""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from sifting import observables
from sifting.pruning.prunable import with_norms
from sifting.training.models import ResNet

IMAGES = (3, 12, 12)  # 3 x 3 maps in the last group of a ResNet: no part of a kernel sees its edge alone
DRAWS = 12  # networks with the same masks: a unit that is silent by chance in one of them is not in all


def lenet(batch=2):
    """A network in the form of LeNet, and images."""
    net = nn.Sequential(
        nn.Conv2d(2, 3, 2), nn.ReLU(), nn.Conv2d(3, 4, 2), nn.ReLU(),
        nn.Flatten(), nn.Linear(16, 5), nn.ReLU(), nn.Linear(5, 3),
    ).double()  # fmt: skip
    return net, torch.rand(batch, 2, 4, 4).double()


def resnet(batch=2):
    """A ResNet of three blocks, and images."""
    return ResNet(IMAGES, 3, width=2, blocks=1).double(), torch.rand(batch, IMAGES[0] * 144).double()


def convolutions(model):
    return [f"{name}.weight" for name, layer in model.named_modules() if isinstance(layer, nn.Conv2d)]


def redrawn(model, masks):
    """A copy of the model with random parameters and statistics, and what the masks leave of them."""
    model = copy.deepcopy(model).eval()
    with torch.no_grad():
        for values in model.parameters():
            values.normal_(0.3)  # more often positive than not, so that few units are silent
        for layer in model.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.running_mean.normal_(), layer.running_var.uniform_(0.5, 2)
        for name, mask in masks.items():
            model.get_parameter(name).mul_(mask)
    return model


@torch.no_grad()
def brute(model, x, masks, names):
    """bool masks of the kept weights that change what one of DRAWS networks says, tried one by one."""
    found = {name: torch.zeros_like(masks[name]) for name in names}
    for net in (redrawn(model, masks) for _ in range(DRAWS)):
        said = net(x)
        for name in names:
            weights = net.get_parameter(name)
            for place in masks[name].nonzero().tolist():
                before = weights[tuple(place)].item()
                weights[tuple(place)] = before + 1
                found[name][tuple(place)] |= not torch.allclose(net(x), said, rtol=0, atol=1e-10)
                weights[tuple(place)] = before
    return [found[name].numpy() for name in names]


SHARES = {
    "weights": 0.2,
    "outputs": 0.5,
    "inputs": 0.5,
}  # kept of single weights, whole outputs, whole inputs


def drawn(model, names, how):
    """Masks of one kind of SHARES; or of all kinds at once, with more of the single weights."""
    masks = {}
    for name in names:
        shape = model.get_parameter(name).shape
        numbers = {
            "weights": torch.rand(shape),
            "outputs": torch.rand(shape[:1] + (1,) * (len(shape) - 1)),
            "inputs": torch.rand((1,) + shape[1:2] + (1,) * (len(shape) - 2)),
        }
        shares = SHARES | {"weights": 0.6} if how == "all" else {how: SHARES[how]}
        masks[name] = torch.ones(shape, dtype=bool)
        for kind, share in shares.items():
            masks[name] &= numbers[kind] < share
    return masks


@pytest.mark.parametrize("how", ["weights", "outputs", "inputs", "all"])
@pytest.mark.parametrize("seed", range(3))
def test_weights_behind_one_another_matter_as_brute_force_says(how, seed):
    torch.manual_seed(seed)
    model, x = lenet()
    names = [name for name, values in model.named_parameters() if values.ndim > 1]
    masks = drawn(model, names, how)
    found = observables.paths.mattering(
        observables.paths.chain(*(masks[name].numpy() for name in names)), biases=True
    )
    for mine, his in zip(found, brute(model, x, masks, names), strict=True):
        assert np.array_equal(mine, his)


@pytest.mark.parametrize("how", ["weights", "outputs", "inputs", "all"])
@pytest.mark.parametrize("seed", range(2))
def test_weights_between_shortcuts_matter_as_brute_force_says(how, seed):
    torch.manual_seed(seed)
    model, x = resnet()
    names = convolutions(model)
    masks = drawn(model, names, how)
    whole = with_norms(model, masks)
    found = observables.paths.mattering(
        observables.paths.residual(*(masks[name].numpy() for name in names)), biases=False
    )
    for mine, his in zip(found, brute(model, x, whole, names), strict=True):
        assert np.array_equal(mine, his)


def test_a_channel_takes_what_reads_it_along_unless_a_shortcut_feeds_it():
    """Of the stream, the first channel is written by the stem, and the second by the first block."""
    whole, one, other = (
        np.ones((2, 2, 1, 1), bool),
        np.zeros((2, 2, 1, 1), bool),
        np.zeros((2, 2, 1, 1), bool),
    )
    one[0], other[1] = True, True  # all weights into the first, or the second, channel
    stem, *blocks = observables.paths.mattering(
        observables.paths.residual(one, whole, other, whole, whole), False
    )
    assert stem.sum() == 2, "what writes a channel matters"
    assert blocks[0].sum() == 2 and not blocks[0][:, 1].any(), "nothing has written the second channel yet"
    assert blocks[1].sum() == 2 and blocks[2].all() and blocks[3].all(), "then both are there"


def test_everything_matters_in_a_whole_network_and_nothing_behind_an_empty_layer():
    masks = [np.ones((4, 3), bool), np.ones((5, 4), bool), np.ones((2, 5), bool)]
    steps = observables.paths.chain(*masks)
    assert all(mask.all() for mask in observables.paths.mattering(steps, True))
    masks[1][:] = False
    counts = [int(mask.sum()) for mask in observables.paths.mattering(observables.paths.chain(*masks), True)]
    assert counts == [0, 0, 10], "units with biases alone are still read"
    counts = [int(mask.sum()) for mask in observables.paths.mattering(observables.paths.chain(*masks), False)]
    assert counts == [0, 0, 0]
