"""Numbers of masks, whatever form they come in; and what is no mask is refused."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize, prune

import sifting
from sifting import observables
from sifting.results import masks
from tests.own.networks import KNOWN

SHAPE = (2, 6, 6)


def mlp(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(72, 20), nn.ReLU(), nn.Linear(20, 5))


class Thinned(nn.Module):
    """A parametrization that keeps large weights."""

    def forward(self, weight):
        return weight * (weight.abs() > 0.08)


def by_prune(model):
    prune.l1_unstructured(model[1], "weight", 40)
    prune.random_unstructured(model[3], "weight", 0.5)
    return model, {f"{n}.weight": model[n].weight_mask for n in (1, 3)}


def by_zeros(model):
    with torch.no_grad():
        for n in (1, 3):
            model[n].weight.mul_(model[n].weight.abs() > 0.08)
    return model, {f"{n}.weight": model[n].weight != 0 for n in (1, 3)}


def by_parametrization(model):
    found = {f"{n}.weight": model[n].weight.abs() > 0.08 for n in (1, 3)}
    for n in (1, 3):
        parametrize.register_parametrization(model[n], "weight", Thinned())
    return model, found


FORMS = {
    "bools of torch": lambda mask: mask.bool(),
    "floats of torch": lambda mask: mask.float(),
    "half precision": lambda mask: mask.to(torch.bfloat16),
    "sparse": lambda mask: mask.float().to_sparse(),
    "a parameter": lambda mask: nn.Parameter(mask.float()),
    "bools of NumPy": lambda mask: mask.bool().numpy(),
    "bytes of NumPy": lambda mask: mask.numpy().astype(np.uint8),
    "nested lists": lambda mask: mask.int().tolist(),
}


@pytest.mark.parametrize("made", [by_prune, by_zeros, by_parametrization], ids=lambda made: made.__name__)
def test_masks_of_a_network_are_the_same_however_it_is_pruned(made):
    model, expected = made(mlp())
    found = masks.read(model)
    assert list(found) == list(expected)
    for name, mask in expected.items():
        assert found[name].dtype == bool and (found[name] == mask.bool().numpy()).all()
        assert 0 < found[name].mean() < 1


def test_a_pruned_weight_that_is_zero_by_chance_is_kept_where_its_mask_says_so():
    model = mlp()
    with torch.no_grad():
        model[1].weight[0] = 0
    assert not masks.read(model)["1.weight"][0].any()
    prune.custom_from_mask(model[1], "weight", torch.ones(20, 72))
    assert masks.read(model)["1.weight"][0].all()


@pytest.mark.parametrize("form", FORMS)
def test_a_mask_is_read_in_every_form(form):
    mask = torch.rand(20, 72, generator=torch.Generator().manual_seed(0)) < 0.3
    [found] = masks.read(FORMS[form](mask)).values()
    assert found.dtype == bool and (found == mask.numpy()).all()


def test_structured_and_biases_and_other_modules_of_torchs_pruning():
    model = nn.ModuleDict({"conv": nn.Conv2d(3, 8, 3), "words": nn.Embedding(9, 4)})
    prune.ln_structured(model["conv"], "weight", 2, n=2, dim=0)
    prune.random_unstructured(model["conv"], "bias", 3)
    prune.random_unstructured(model["words"], "weight", 6)
    found = masks.read(model)
    assert [*found] == ["conv.weight", "words.weight"] and found["words.weight"].sum() == 30
    assert sifting.measure(model)["conv.weight"]["alive"] == 6 / 8


def test_numbers_are_those_of_the_observables():
    model, _ = by_prune(mlp())
    found, mask = sifting.measure(model, SHAPE)["1.weight"], masks.read(model)["1.weight"]
    assert found["kept"] == mask.sum() == 20 * 72 - 40 and found["size"] == mask.size
    assert (found["in_degree"] == mask.sum(1)).all() and (found["out_degree"] == mask.sum(0)).all()
    each = observables.locality.localization(mask, SHAPE)
    assert (found["localization"] == each).all() and found["locality"] == pytest.approx(each.mean())
    assert found["enrichment"] == observables.locality.enrichment(mask, SHAPE)
    assert "locality" not in sifting.measure(model, SHAPE)["3.weight"]


def blobs(size=3, side=10):
    """Masks of units that see size x size pixels each, wherever these fit."""
    found = np.zeros((side - size + 1,) * 2 + (side, side), bool)
    for y, x in np.ndindex(found.shape[:2]):
        found[y, x, y : y + size, x : x + size] = True
    return found.reshape(-1, side**2)


def test_blobs_are_local_and_no_random_mask_is():
    found = sifting.measure(blobs(4), (1, 10, 10))["mask"]
    assert found["locality"] > 0.9 and found["locality_error"] < 0.05
    for null in ("locality_random", "locality_rewired"):
        assert abs(found[null]) < 0.1
    assert (
        found["width_x"] == pytest.approx(found["width_y"]) and found["width_random"] > 2 * found["width_x"]
    )
    again = sifting.measure(blobs(4), (1, 10, 10), seed=1)["mask"]
    assert again["locality"] == found["locality"] and again["locality_random"] != found["locality_random"]


def test_a_mask_is_as_alike_itself_as_can_be_and_others_as_chance_has_it():
    one, other = (by_prune(mlp(seed))[0] for seed in (0, 1))
    same, apart = sifting.measure(one, other=one), sifting.measure(one, other=other)
    assert [numbers["jaccard"] for numbers in same.values()] == [1, 1]
    assert apart["3.weight"]["jaccard"] == pytest.approx(1 / 3, abs=0.15)
    assert apart["3.weight"]["jaccard_chance"] == pytest.approx(1 / 3, abs=0.01), "half of each, u / (2 - u)"


@pytest.mark.parametrize("name", KNOWN)
def test_masks_of_known_networks_are_counted_whole(name):
    model = KNOWN[name]()
    layers = [m for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    before = sum(layer.weight.numel() for layer in layers)
    parameters = [(layer, "weight") for layer in layers]
    prune.global_unstructured(parameters, prune.L1Unstructured, amount=100_000)
    found = sifting.measure(model)
    assert len(found) == len(layers)
    assert sum(numbers["size"] for numbers in found.values()) == before
    assert sum(numbers["size"] - numbers["kept"] for numbers in found.values()) == 100_000
    first = next(iter(found.values()))
    assert first["in_degree"].shape == (64,) and first["out_degree"].shape == (3,)
    assert first["in_degree"].sum() == first["out_degree"].sum() == first["kept"]


@pytest.mark.parametrize(
    "few", [np.zeros((6, 72)), np.eye(1, 72), np.ones((3, 72))], ids=["none", "one", "all"]
)
def test_what_cannot_be_measured_is_nan_and_no_warning(few):
    found = sifting.measure(few, SHAPE)["mask"]
    assert np.isnan(found["degree_excess"]) and np.isnan(found["locality"])


REFUSED = {
    "weights": ({"masks": mlp()[1].weight.detach()}, "mask is no mask, but holds -?0.*give WEIGHTS != 0"),
    "words": ({"masks": "fc1"}, "mask is no mask: bools, or 0 and 1"),
    "nothing": ({"masks": {}}, "no mask of any weights"),
    "none": ({"masks": None}, "is no mask"),
    "an axis": ({"masks": np.ones(4)}, r"has the shape \(4,\); a mask of weights is \(units, inputs"),
    "rows of two lengths": ({"masks": [[1, 0], [1]]}, "rows are not of one length"),
    "no layers": ({"masks": nn.Sequential(nn.ReLU())}, "Sequential has no linear map and no convolution"),
    "lazy": ({"masks": nn.LazyLinear(3)}, "weight is of no size yet: show the network an image"),
    "transposed": ({"masks": nn.ConvTranspose2d(1, 2, 3)}, "transposed convolution"),
    "other names": ({"masks": mlp(), "other": mlp()[1]}, r"1.weight is \(20, 72\) and missing"),
    "other shapes": ({"masks": np.ones((2, 3)), "other": np.ones((2, 4))}, r"\(2, 3\) and \(2, 4\)"),
    "another image": ({"masks": mlp(), "shape": (1, 6, 6)}, "inputs of 1.weight are not 1 x 6 x 6 = 36"),
    "a hidden layer": ({"masks": mlp(), "shape": (5, 2, 2)}, "the inputs of 1.weight are not 5 x 2 x 2 = 20"),
    "no shape": ({"masks": mlp(), "shape": (6, 6)}, r"shape is \(channels, height, width\)"),
    "a half": ({"masks": mlp(), "shape": (2, 6, 6.0)}, r"shape is \(channels, height, width\)"),
    "no layer": ({"masks": mlp(), "shape": SHAPE, "layer": "fc1"}, "unknown layer 'fc1'; choose from 1"),
    "layer alone": ({"masks": mlp(), "layer": "1.weight"}, "give their shape, too"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_mask_is_refused_with_what_is_needed(case):
    given, said = REFUSED[case]
    with pytest.raises(ValueError, match=said):
        sifting.measure(**given)


def test_a_hidden_layer_is_measured_on_pixels_only_by_name():
    found = sifting.measure(mlp(), (5, 2, 2), layer="3.weight")
    assert "locality" in found["3.weight"] and "locality" not in found["1.weight"]
    assert sifting.measure(mlp(), (5, 2, 2), layer="3").keys() == found.keys(), (
        "by the name of its module, too"
    )
