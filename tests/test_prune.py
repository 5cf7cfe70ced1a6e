"""Criteria and the cut: exact counts, nested masks, the lowest scores."""

import itertools

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from sifting import config
from sifting.data import Images, Split
from sifting.pruning.criteria import CRITERIA, SNIP_IMAGES, prune, saliency
from sifting.pruning.prunable import prunable
from sifting.training import models


@pytest.fixture
def model():
    return models.build(config.preset("smoke"), (3, 8, 8), 12, torch.Generator().manual_seed(0))


def ones(model, biases=True):
    parameters = dict(model.named_parameters())
    return {name: torch.ones_like(parameters[name], dtype=torch.bool) for name in prunable(model, biases)}


def images(shape=(3, 8, 8), classes=12, count=60):
    draw = torch.Generator().manual_seed(1)
    pictures = torch.randint(0, 256, (count, *shape), dtype=torch.uint8, generator=draw)
    return Split(Images(pictures, torch.arange(count)), torch.randint(0, classes, (count,), generator=draw))


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("scope", ["layer", "global"])
@pytest.mark.parametrize("fraction", [0.001, 0.3, 0.95])
def test_every_criterion_removes_exactly_the_integer_part_and_only_kept_weights(
    model, criterion, scope, fraction
):
    if criterion == "slimming":  # the only one that asks for a norm behind convolutions
        model = models.ResNet((3, 8, 8), 12, width=4, blocks=1)
        torch.nn.init.uniform_(model.norm1.weight, generator=torch.Generator().manual_seed(0))
    masks = ones(model)
    for level in range(3):
        scores = saliency(criterion, model, masks, images(), torch.Generator().manual_seed(level))
        new = prune(masks, scores, fraction, scope)
        assert all((new[name] <= masks[name]).all() for name in masks)
        pools = {"": list(scores)} if scope == "global" else {}
        for name in scores if scope == "layer" else []:
            pools.setdefault(name.rpartition(".")[0], []).append(name)
        for names in pools.values():
            kept, left = (sum(things(m[name], scores[name]) for name in names) for m in (masks, new))
            assert kept - left == int(fraction * kept)
        assert all(new[name] is masks[name] for name in masks if name not in scores)
        masks = new


def things(mask, score):
    """How many things that share a score are kept, none of them in part."""
    shared = mask.expand(mask.shape).movedim(
        [n for n in range(mask.ndim) if mask.shape[n] == score.shape[n]],
        [*range(sum(a == b for a, b in zip(mask.shape, score.shape)))],
    )
    rows = shared.reshape(score.numel(), -1)
    assert (rows.all(1) == rows.any(1)).all()
    return int(rows.any(1).sum())


@pytest.mark.parametrize("scope", ["layer", "global"])
def test_magnitude_removes_the_smallest(model, scope):
    masks = ones(model)
    new = prune(masks, saliency("magnitude", model, masks, None, None), 0.4, scope)
    parameters = dict(model.named_parameters())
    pools = (
        [[f"linear.{n}.weight"] for n in range(3)]
        if scope == "layer"
        else [[f"linear.{n}.weight" for n in range(3)]]
    )
    for names in pools:
        size = torch.cat([parameters[name].detach().abs().flatten() for name in names])
        kept = torch.cat([new[name].flatten() for name in names])
        assert size[~kept].max() <= size[kept].min()


def test_biases_share_the_pool_of_their_layer(model):
    masks = ones(model)
    new = prune(masks, saliency("magnitude", model, masks, None, None), 0.3)
    assert not new["linear.0.bias"].any(), "zero biases are the smallest entries of the pool"
    assert "linear.0.bias" not in prunable(model, biases=False)


def test_the_output_layer_is_never_prunable(model):
    assert not any(name.startswith("linear.3") for name in prunable(model, biases=True))


def test_ties_still_go_in_exact_numbers():
    masks = {"a.weight": torch.ones(10, 10, dtype=torch.bool)}
    assert prune(masks, {"a.weight": torch.zeros(10, 10)}, 0.25)["a.weight"].sum() == 75


def test_permuting_hidden_units_permutes_masks(model):
    masks, order = ones(model, biases=False), torch.randperm(48, generator=torch.Generator().manual_seed(1))
    before = prune(masks, saliency("magnitude", model, masks, None, None), 0.5)
    with torch.no_grad():
        model.linear[0].weight.copy_(model.linear[0].weight[order].clone())
        model.linear[1].weight.copy_(model.linear[1].weight[:, order].clone())
    after = prune(masks, saliency("magnitude", model, masks, None, None), 0.5)
    assert torch.equal(after["linear.0.weight"], before["linear.0.weight"][order])
    assert torch.equal(after["linear.1.weight"], before["linear.1.weight"][:, order])


def test_unknown_names_raise_with_the_choices(model):
    with pytest.raises(
        ValueError,
        match="unknown criterion 'mag'; choose from cavity, fc-only, hybrid, l-inf-inputs, .*, magnitude, random, .*, slimming, snip, synflow",
    ):
        saliency("mag", model, ones(model), None, None)
    with pytest.raises(ValueError, match="unknown scope 'network'; choose from global, layer"):
        prune(ones(model), ones(model), 0.3, "network")


# --- SNIP and SynFlow, against their definitions


@pytest.fixture
def tiny():
    """4-3-3-2 units, double precision, and masks that cut some of its weights."""
    draw = torch.Generator().manual_seed(2)
    model = models.FCN([4, 3, 3, 2], "before").double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draw, dtype=torch.float64))
    masks = ones(model, biases=False)
    masks["linear.0.weight"][0, 1] = masks["linear.1.weight"][2, 0] = False
    return model, masks


@pytest.mark.parametrize("batch_norm", ["before", "after", "none"])
def test_snip_is_the_derivative_by_the_mask(batch_norm):
    draw = torch.Generator().manual_seed(3)
    model, split = models.FCN([12, 5, 4, 3], batch_norm).double(), images((3, 2, 2), 3)
    masks = ones(model, biases=False)
    masks["linear.0.weight"][0, :6] = False
    scores = saliency("snip", model, masks, split, draw)
    x, y = split.batch(torch.randint(60, (SNIP_IMAGES,), generator=torch.Generator().manual_seed(3)))

    def loss(name, place, m):
        changed = {other: parameter * masks.get(other, 1) for other, parameter in model.named_parameters()}
        changed[name] = changed[name].detach().clone()
        changed[name][place] *= m
        buffers = {other: value.clone() for other, value in model.named_buffers()}
        return F.cross_entropy(torch.func.functional_call(model, changed | buffers, (x.double(),)), y)

    for name, place in itertools.product(masks, [(0, 0), (0, 7), (3, 2), (2, 3)]):
        place = tuple(p % n for p, n in zip(place, masks[name].shape))
        numeric = (loss(name, place, 1 + 1e-5) - loss(name, place, 1 - 1e-5)) / 2e-5
        assert scores[name][place].item() == pytest.approx(abs(numeric.item()), rel=1e-4, abs=1e-9)
    assert not scores["linear.0.weight"][0, :6].any()


def test_snip_leaves_the_model_alone_and_scaling_the_loss_changes_no_mask(model, monkeypatch):
    masks, before = ones(model, False), {k: v.clone() for k, v in model.state_dict().items()}

    def cut():
        scores = saliency("snip", model, masks, images(), torch.Generator().manual_seed(0))
        return scores, prune(masks, scores, 0.9, "global")

    scores, mask = cut()
    plain = F.cross_entropy
    monkeypatch.setattr(F, "cross_entropy", lambda *a: 8 * plain(*a))
    scaled, same = cut()
    for name in masks:
        assert torch.allclose(scaled[name], 8 * scores[name]) and torch.equal(mask[name], same[name])
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_synflow_sums_the_paths_through_each_weight(tiny):
    model, masks = tiny
    scores = saliency("synflow", model, masks, None, None)
    layers = [linear.weight.detach().abs().numpy() for linear in model.linear]
    layers = [w * masks.get(f"linear.{n}.weight", torch.tensor(1)).numpy() for n, w in enumerate(layers)]
    expected = [np.zeros_like(w) for w in layers]
    for path in itertools.product(range(4), range(3), range(3), range(2)):
        product = np.prod([w[b, a] for w, a, b in zip(layers, path, path[1:])])
        for total, a, b in zip(expected, path, path[1:]):
            total[b, a] += product
    for n in range(2):
        assert scores[f"linear.{n}.weight"].numpy() == pytest.approx(expected[n])


def test_synflow_conserves_the_flow_through_every_layer_and_every_unit(model):
    scores = saliency("synflow", model, ones(model, False), None, None)
    sums = [float(score.sum()) for score in scores.values()]
    assert sums == pytest.approx([sums[0]] * len(sums), rel=1e-12)
    first, second = scores["linear.0.weight"], scores["linear.1.weight"]
    assert torch.allclose(first.sum(1), second.sum(0), rtol=1e-12)


def test_synflow_refuses_what_has_no_layers_of_its_kind():
    with pytest.raises(ValueError, match="synflow is for fully connected networks, not Sequential"):
        saliency("synflow", torch.nn.Sequential(), {}, None, None)


def test_slimming_refuses_what_has_no_norm_behind_a_convolution(model):
    with pytest.raises(
        ValueError, match="slimming is for networks with batch norm behind their convolutions"
    ):
        saliency("slimming", model, ones(model), None, None)
