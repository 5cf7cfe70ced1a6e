"""What is said of any network is what the observables and the book's own probes say of it."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrize, prune

import sifting
from sifting.observables import gaussianity
from sifting.probes.utility import Pool, divergence
from sifting.pruning.prunable import prunable
from sifting.results.axes import RATIOS
from sifting.training.layers import layers, plain, seen
from tests.own.networks import KNOWN


class Mlp(nn.Module):
    """Names of nobody else's, and layers in another order than they are passed."""

    def __init__(self):
        super().__init__()
        self.last, self.first = nn.Linear(12, 3), nn.Linear(32, 12)
        self.flat, self.norm = nn.Flatten(), nn.BatchNorm1d(12)

    def forward(self, x):
        return self.last(F.relu(self.norm(self.first(self.flat(x)))))


class Cnn(nn.Module):
    """A convolution with stride, reflected padding and groups, and dropout."""

    def __init__(self):
        super().__init__()
        self.body = nn.Conv2d(2, 6, 3, stride=2, padding=1, padding_mode="reflect", groups=2)
        self.norm, self.drop, self.head = nn.BatchNorm2d(6), nn.Dropout(0.5), nn.Linear(24, 3)

    def forward(self, x):
        return self.head(self.drop(F.relu(self.norm(self.body(x)), inplace=True).flatten(1)))


def made(kind, seed=0):
    torch.manual_seed(seed)
    model = kind()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.3, 0.3), nn.init.uniform_(module.running_var, 0.5, 2)
    return model


X = torch.randn(40, 2, 4, 4, generator=torch.Generator().manual_seed(1))
Y = torch.randint(0, 3, (40,), generator=torch.Generator().manual_seed(2))


def kl(p, q):
    p, q = p.detach().softmax(1), q.detach().softmax(1)
    return float((p * (p / q).log()).sum(1).mean())


@pytest.mark.parametrize("kind", [Mlp, Cnn])
def test_numbers_are_those_of_the_definitions(kind):
    model = made(kind).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = sifting.examine(model, X, Y, sets=3)
    assert model.training and all(torch.equal(value, before[k]) for k, value in model.state_dict().items())
    still = copy.deepcopy(model).eval()
    said = still(X)
    assert found["accuracy"] == pytest.approx(float((said.argmax(1) == Y).float().mean()))
    assert found["loss"] == pytest.approx(float(F.cross_entropy(said, Y).detach()), rel=1e-5)
    assert found["kept"] == sum(layer.weight.numel() for layer in layers(model).values())
    assert found["utility"].shape == (len(RATIOS), 3) and found["shares"] == RATIOS
    name, layer = next(iter(layers(still).items()))
    for unit in (0, 2):
        weight = layer.weight[unit].detach().clone()
        with torch.no_grad():
            layer.weight[unit] = 0
            assert found["unit_worth"][unit] == pytest.approx(kl(said, still(X)), rel=1e-3, abs=1e-7)
            layer.weight[unit] = weight


def test_units_of_linear_maps_are_as_gaussian_as_what_they_say():
    model, said = made(Mlp).eval(), {}
    hooks = [
        getattr(model, name).register_forward_hook(lambda _, x, y, name=name: said.update({name: (x[0], y)}))
        for name in ("first", "last")
    ]
    model(X)
    for hook in hooks:
        hook.remove()
    found = sifting.examine(model, X, sets=0)["layers"]
    for name, (inputs, values) in said.items():
        values = values.detach().double().numpy()
        assert found[name]["kurtosis"] == pytest.approx(gaussianity.kurtosis(values), rel=1e-4)
        weights = getattr(model, name).weight.detach().double().numpy()
        expected = gaussianity.cavity(inputs.detach().double().numpy(), weights)[0]
        assert found[name]["cavity"] == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_what_a_convolution_sees_is_what_it_computes_with():
    """Its weights times what is seen are among the numbers on its maps, group by group."""
    model, maps = made(Cnn).eval(), []
    model.body.register_forward_hook(lambda layer, x, y: maps.append(y.detach()))
    [rows] = seen(model, X, ["body"], torch.Generator().manual_seed(0)).values()
    assert rows.shape == (2, 40, 9)
    values = torch.cat([part @ w.T for part, w in zip(rows, model.body.weight.flatten(1).chunk(2))], 1)
    values = values + model.body.bias
    near = (maps[0].flatten(2) - values[:, :, None]).abs().amax(1).amin(1)
    assert near.max() < 1e-5, "all six channels at one place of the map"
    chunked = seen(model, X, ["head"], None, chunk=7)["head"]
    assert torch.allclose(chunked, seen(model, X, ["head"])["head"]) and chunked.shape == (1, 40, 24)


def pruned_by_torch(model):
    for layer in layers(model).values():
        prune.l1_unstructured(layer, "weight", amount=0.5)
    model(X)  # a pruned weight is then a tensor that was computed, which cannot be copied
    return model


class Half(nn.Module):
    def forward(self, weight):
        return weight * (weight.abs() > weight.abs().median())


def parametrized(model):
    for layer in list(layers(model).values()):
        parametrize.register_parametrization(layer, "weight", Half())
    return model


def test_a_network_pruned_by_torch_is_taken_as_it_is_now():
    """Not as at its last forward pass, when torch 2.13 computed the weight that a pruned layer shows."""
    model = pruned_by_torch(made(Mlp).eval())
    with torch.no_grad():
        for layer in layers(model).values():
            layer.weight_orig *= 3
    for name, layer in layers(plain(model)).items():
        now, before = layer.weight, layers(model)[name].weight
        assert torch.equal(now, layers(model)[name].weight_orig * layers(model)[name].weight_mask)
        assert not torch.equal(now, before)


@pytest.mark.parametrize("kind", [Mlp, Cnn])
@pytest.mark.parametrize("how", [pruned_by_torch, parametrized], ids=lambda how: how.__name__)
def test_a_pruned_network_is_its_plain_twin(kind, how):
    model = how(made(kind).eval())
    twin = made(kind).eval()
    for name, layer in layers(model).items():
        twin.get_parameter(f"{name}.weight").data = layer.weight.detach().clone()
    assert twin.state_dict().keys() == plain(model).state_dict().keys()
    said = model(X)
    one, other = (sifting.examine(some, X, Y, sets=2) for some in (model, twin))
    assert torch.equal(model(X), said), "it is as it was"
    assert one["kept"] == other["kept"] == sum(int((w.weight != 0).sum()) for w in layers(twin).values())
    for name in ("utility", "unit_worth"):
        assert one[name] == pytest.approx(other[name], nan_ok=True)
    for name, numbers in one["layers"].items():
        assert (np.isnan(numbers["cavity"]) >= (twin.get_parameter(f"{name}.weight") == 0).numpy()).all()


def test_masks_are_put_on_and_what_has_none_stays():
    model = made(Mlp)
    mask = np.zeros((12, 32))
    mask[:, :8] = 1
    found = sifting.examine(model, X, Y, masks={"first.weight": mask}, sets=1)
    with torch.no_grad():
        model.first.weight[:, 8:] = 0
    expected = sifting.examine(model, X, Y, sets=1)
    assert found["kept"] == expected["kept"] == 12 * 8 + 36 and found["loss"] == expected["loss"]
    assert (found["unit_worth"] == expected["unit_worth"]).all()


def test_units_and_layers_are_chosen_by_name():
    model = made(Cnn)
    found = sifting.examine(model, X, layers=["head", "body"], layer="head", sets=1)
    assert list(found["layers"]) == ["head", "body"] and found["unit_worth"].shape == (3,)
    only = sifting.examine(model, X, layers="head", sets=0)
    assert list(only["layers"]) == ["head"] and only["kept"] == 72 and only["utility"].shape == (6, 0)


@pytest.mark.parametrize("name", KNOWN)
def test_known_networks_are_examined_whole(name):
    model = KNOWN[name]()
    x = torch.randn(6, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    last = list(layers(model))[-1]
    found = sifting.examine(model, x, sets=1, layer=last)
    assert list(found["layers"]) == list(layers(model)) and found["unit_worth"].shape == (10,)
    assert found["kept"] == sum(layer.weight.numel() for layer in layers(model).values())
    assert (found["utility"] > 0).all() and found["utility"].shape == (len(RATIOS), 1)


class Odd(nn.Module):
    """Weights of other kinds, a layer that no image passes, and one that it passes twice."""

    def __init__(self, twice=False):
        super().__init__()
        self.words, self.idle = nn.Parameter(torch.ones(3, 4)), nn.Linear(4, 4)
        self.used, self.head, self.twice = nn.Linear(4, 4), nn.Linear(4, 3), twice

    def forward(self, x):
        x = self.used(x)
        return self.head(self.used(x) if self.twice else x) + 0 * self.words.sum()


def tied():
    net = nn.Sequential(nn.Flatten(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 32), nn.Linear(32, 3))
    net[3].weight = net[1].weight
    return net


class Overflow(Mlp):
    def forward(self, x):
        return super().forward(x) * torch.inf


class Bare(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Parameter(torch.ones(32, 3))

    def forward(self, x):
        return x.flatten(1) @ self.words


def weight_normed():
    torch.manual_seed(0)
    with pytest.warns(FutureWarning):
        return nn.Sequential(nn.Flatten(), torch.nn.utils.weight_norm(nn.Linear(32, 3)))


FLAT = torch.ones(5, 4) + torch.eye(5, 4)
REFUSED = {
    "no network": ({"model": "resnet18"}, "a torch.nn.Module is needed, not str"),
    "no weights": ({"model": nn.Flatten()}, "Flatten has no weights with values"),
    "lazy": ({"model": nn.LazyLinear(3)}, "of no size yet: show it an image first"),
    "meta": ({"model": nn.Linear(3, 3, device="meta")}, "has no weights with values"),
    "bytes": ({"images": X.byte()}, "floats; these are torch.uint8"),
    "words": ({"images": ["cat.png"]}, "images are needed as"),
    "one image": ({"images": X[:1]}, r"two images or more are needed, .* not \(1, 2, 4, 4\)"),
    "nan": ({"images": X * float("nan")}, "all numbers; some of these are nan or infinity"),
    "another shape": ({"images": X[:, :1]}, r"Mlp does not take images \(40, 1, 4, 4\): mat1 and mat2"),
    "no classes": ({"model": nn.Conv2d(2, 3, 3)}, r"\(images, classes\) of images, not \(2, 3, 2"),
    "few labels": ({"labels": Y[:3]}, "one for each of 40 images"),
    "labels between": ({"labels": Y.float()}, "labels are whole numbers"),
    "a fourth class": ({"labels": Y + 1}, "labels are from 0 to 2, .* these are from 1 to 3"),
    "no such mask": ({"masks": {"frist.weight": np.ones((12, 32))}}, "unknown mask 'frist.weight'"),
    "a wide mask": ({"masks": {"first.weight": np.ones((12, 33))}}, r"is \(12, 33\), and its weights are"),
    "no mask": ({"masks": {"first.weight": torch.randn(12, 32)}}, "first.weight is no mask, but holds"),
    "no such layer": ({"layers": ["frist"]}, r"'frist' \(did you mean first\?\); choose from first, last"),
    "no layers": ({"layers": []}, "no layer is named; choose from last, first"),
    "a layer besides": ({"layers": ["last"], "layer": "first"}, "unknown layer 'first'; choose from last"),
    "sets": ({"sets": 2.5}, "sets is a whole number, 0 or more, not 2.5"),
    "weights left out": ({"model": Odd(), "images": FLAT}, "words would be left out.* idle, used, head"),
    "idle": ({"model": Odd(), "images": FLAT, "layers": ["idle"]}, r"passes once .* not so idle \(0 times"),
    "tied": ({"model": tied()}, "3 has the weights of 1: layers with their own weights are needed"),
    "no layer at all": ({"model": Bare()}, "Bare has no linear map and no 2d convolution"),
    "infinity": ({"model": Overflow()}, "Overflow says nan or infinity of some of these images"),
    "twice": ({"model": Odd(True), "images": FLAT, "layers": ["used"]}, r"not so used \(2 times"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_examined_is_refused_with_what_is_needed(case):
    given, said = REFUSED[case]
    with pytest.raises(ValueError, match=said):
        sifting.examine(**{"model": made(Mlp), "images": X} | given)


def test_a_layer_may_be_named_by_its_weights_as_measure_does():
    one, other = (
        sifting.examine(made(Mlp), X, layers=["first"], layer=f"first{end}") for end in ("", ".weight")
    )
    assert one["layers"].keys() == other["layers"].keys() == {"first"}


def test_an_old_hook_that_computes_weights_is_named():
    with pytest.raises(ValueError, match="1.weight_v would be left out|1.weight is no parameter"):
        sifting.examine(weight_normed(), X)


def test_the_pool_of_the_books_probes_leaves_nothing_out_in_silence():
    model = pruned_by_torch(made(Mlp))
    with pytest.raises(ValueError, match="last.weight is no parameter, but computed from others"):
        Pool(model, {})
    with pytest.raises(
        ValueError,
        match=r"'frist.weight' \(did you mean first.weight\?\); choose from first.b",
    ):
        Pool(made(Mlp), {"frist.weight": torch.ones(12, 32, dtype=torch.bool)})
    with pytest.raises(ValueError, match=r"first.weight and its weights differ in shape: \(3, 3\) and"):
        Pool(made(Mlp), {"first.weight": torch.ones(3, 3, dtype=torch.bool)})
    assert prunable(plain(model), False, head=True) == ["last.weight", "first.weight"]


def test_divergence_is_that_of_the_probes():
    one, other = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0))
    assert float(divergence(one, other).mean()) == pytest.approx(kl(one, other), rel=1e-5)
