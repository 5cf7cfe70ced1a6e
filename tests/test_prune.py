"""Criteria and the cut: exact counts, nested masks, the lowest scores."""

import pytest
import torch

from sifting import config, models
from sifting.prune import CRITERIA, prune, saliency


@pytest.fixture
def model():
    return models.build(config.preset("smoke"), (3, 8, 8), 12, torch.Generator().manual_seed(0))


def ones(model, biases=True):
    parameters = dict(model.named_parameters())
    return {
        name: torch.ones_like(parameters[name], dtype=torch.bool) for name in models.prunable(model, biases)
    }


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("scope", ["layer", "global"])
@pytest.mark.parametrize("fraction", [0.001, 0.3, 0.95])
def test_every_criterion_removes_exactly_the_integer_part_and_only_kept_weights(
    model, criterion, scope, fraction
):
    masks = ones(model)
    for level in range(3):
        scores = saliency(criterion, model, masks, torch.Generator().manual_seed(level))
        new = prune(masks, scores, fraction, scope)
        assert all((new[name] <= masks[name]).all() for name in masks)
        pools = {"": list(masks)} if scope == "global" else {}
        for name in masks if scope == "layer" else []:
            pools.setdefault(name.rpartition(".")[0], []).append(name)
        for names in pools.values():
            kept, left = (sum(int(m[name].sum()) for name in names) for m in (masks, new))
            assert kept - left == int(fraction * kept)
        masks = new


@pytest.mark.parametrize("scope", ["layer", "global"])
def test_magnitude_removes_the_smallest(model, scope):
    masks = ones(model)
    new = prune(masks, saliency("magnitude", model, masks, None), 0.4, scope)
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
    new = prune(masks, saliency("magnitude", model, masks, None), 0.3)
    assert not new["linear.0.bias"].any(), "zero biases are the smallest entries of the pool"
    assert "linear.0.bias" not in models.prunable(model, biases=False)


def test_the_output_layer_is_never_prunable(model):
    assert not any(name.startswith("linear.3") for name in models.prunable(model, biases=True))


def test_ties_still_go_in_exact_numbers():
    masks = {"a.weight": torch.ones(10, 10, dtype=torch.bool)}
    assert prune(masks, {"a.weight": torch.zeros(10, 10)}, 0.25)["a.weight"].sum() == 75


def test_permuting_hidden_units_permutes_masks(model):
    masks, order = ones(model, biases=False), torch.randperm(48, generator=torch.Generator().manual_seed(1))
    before = prune(masks, saliency("magnitude", model, masks, None), 0.5)
    with torch.no_grad():
        model.linear[0].weight.copy_(model.linear[0].weight[order].clone())
        model.linear[1].weight.copy_(model.linear[1].weight[:, order].clone())
    after = prune(masks, saliency("magnitude", model, masks, None), 0.5)
    assert torch.equal(after["linear.0.weight"], before["linear.0.weight"][order])
    assert torch.equal(after["linear.1.weight"], before["linear.1.weight"][:, order])


def test_unknown_names_raise_with_the_choices(model):
    with pytest.raises(ValueError, match="unknown criterion 'mag'; choose from magnitude, random"):
        saliency("mag", model, ones(model), None)
    with pytest.raises(ValueError, match="unknown scope 'network'; choose from global, layer"):
        prune(ones(model), ones(model), 0.3, "network")
