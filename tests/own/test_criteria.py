"""Criteria on networks that are not of this project: by their definitions, found from modules and graphs."""

import copy
import functools
import json

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import prune as torch_prune

from sifting import config
from sifting.data import Images, Split
from sifting.pruning import criteria, flow
from sifting.pruning.criteria import CRITERIA, Cut, prune, saliency
from sifting.pruning.prunable import norms, prunable
from sifting.training import models
from sifting.training.layers import layers
from tests.own import peers
from tests.own.networks import KNOWN, resnet18, vgg11
from tests.own.test_examining import Cnn, Mlp, made


def split(shape, count=30, classes=3):
    draw = torch.Generator().manual_seed(1)
    pictures = torch.randint(0, 256, (count, *shape), dtype=torch.uint8, generator=draw)
    return Split(Images(pictures, torch.arange(count)), torch.randint(0, classes, (count,), generator=draw))


def cut(model, shape=(2, 4, 4), classes=3, head=True):
    """A network that takes images as they are, and all that a criterion may look at."""
    model = copy.deepcopy(model)
    model.register_forward_pre_hook(lambda module, given: (given[0].unflatten(1, shape),))
    masks = {
        name: torch.ones_like(model.get_parameter(name), dtype=torch.bool)
        for name in prunable(model, False, head)
    }
    return Cut(model, masks, split(shape, classes=classes), torch.Generator().manual_seed(0))


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(criteria, "SNIP_IMAGES", 40)


def published_synflow(model, shape):
    """Tanaka et al. 2020, section 5, by the released code, without biases and with norms left out."""
    model = copy.deepcopy(model).double().eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.forward = lambda x: x
    signs = {}
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if value.is_floating_point():
                signs[name] = value.sign()
                value.abs_()
        for layer in layers(model).values():
            if layer.bias is not None:
                layer.bias.zero_()
    model(torch.ones(1, *shape, dtype=torch.float64)).sum().backward()
    return {f"{name}.weight": layer.weight.grad * layer.weight for name, layer in layers(model).items()}


NETWORKS = {
    "mlp": (lambda: made(Mlp), (2, 4, 4), 3),
    "cnn": (lambda: made(Cnn), (2, 4, 4), 3),
    "resnet18": (resnet18, (3, 32, 32), 10),
    "vgg11": (vgg11, (3, 32, 32), 10),
    "vgg11_bn": (lambda: vgg11("vgg11_bn"), (3, 32, 32), 10),
}


@functools.cache
def network(name):
    """One of NETWORKS, the shape of its images, and how many classes it has."""
    make, shape, classes = NETWORKS[name]
    return make(), shape, classes


@pytest.mark.parametrize("name", NETWORKS)
def test_synflow_is_that_of_its_publication(name):
    model, shape, classes = network(name)
    found = saliency("synflow", cut(model, shape, classes))
    for weights, scores in published_synflow(model, shape).items():
        assert torch.allclose(found[weights], scores.detach(), rtol=1e-9), weights


def test_synflow_of_a_chain_is_the_same_by_products_and_by_differentiation():
    model = models.build(config.preset("smoke"), (3, 8, 8), 12, torch.Generator().manual_seed(0))
    masks = {name: torch.rand_like(model.get_parameter(name)) < 0.5 for name in prunable(model, False)}
    some = Cut(model, masks, split((3, 8, 8)), torch.Generator())
    slow = flow.flow(some.masked().double().eval(), (3, 8, 8))
    for name, scores in flow.chain(some.parameters, masks).items():
        assert torch.allclose(scores, slow[name], rtol=1e-12)


def test_synflow_conserves_the_flow_through_every_convolution_of_a_chain():
    scores = saliency("synflow", cut(*network("vgg11")))
    sums = [float(score.sum()) for score in scores.values()]
    assert sums == pytest.approx([sums[0]] * len(sums), rel=1e-9)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("criterion", ["magnitude", "l2-outputs", "snip", "cavity"])
def test_criteria_score_every_layer_of_every_network(name, criterion):
    some = cut(*network(name))
    scores = saliency(criterion, some)
    assert scores.keys() == some.masks.keys()
    assert all(score.isfinite().all() and score.any() for score in scores.values())
    for mask in prune(some.masks, scores, 0.5).values():
        assert mask.float().mean() == pytest.approx(0.5, abs=0.51 / len(mask))


def test_the_cavity_score_of_a_convolution_is_that_of_the_unit_at_the_places_that_are_seen():
    model = made(Cnn)
    some = cut(model)
    scores = saliency("cavity", some)["body.weight"]
    assert scores.shape == (6, 1, 3, 3) and (scores != 0).all()
    x, _ = some.images.batch(torch.arange(30))
    out = model.eval().body(x.unflatten(1, (2, 4, 4))).movedim(1, -1).flatten(0, -2)
    before = out.sub(out.mean(0))
    kurtosis = (before**4).mean(0) / (before**2).mean(0) ** 2
    assert (kurtosis > 1).all() and torch.equal(saliency("cavity", cut(model))["body.weight"], scores)


# --- slimming


class Twisted(nn.Module):
    """Norms that are and that are not behind a convolution alone, by names that say nothing of it."""

    def __init__(self):
        super().__init__()
        self.n1, self.n2, self.n4 = (nn.BatchNorm2d(3) for _ in range(3))
        self.a, self.n3 = nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3, affine=False)
        self.b, self.c, self.d = (nn.Conv2d(3, 3, 1) for _ in range(3))

    def forward(self, x):
        x = self.n1(self.a(x))
        y = self.b(F.relu(x))
        x = self.n2(y) + y  # what b puts out goes past its norm, too
        x = self.n3(self.c(x))
        return self.n4(F.relu(self.d(x))).mean((2, 3))


def test_norms_are_found_from_the_graph():
    assert norms(Twisted()) == {"a.weight": "n1"}
    found = norms(resnet18())
    assert len(found) == 20 and found["layer2.0.downsample.0.weight"] == "layer2.0.downsample.1"
    assert norms(vgg11("vgg11_bn"))["features.0.weight"] == "features.1" and norms(vgg11()) == {}
    ours = models.build(config.preset("smoke", family="resnet20"), (3, 8, 8), 5, torch.Generator())
    assert norms(ours) == {
        f"{name}.weight": name.replace("conv", "norm")
        for name, layer in ours.named_modules()
        if isinstance(layer, nn.Conv2d)
    }


@pytest.mark.parametrize("make", [resnet18, lambda: vgg11("vgg11_bn")], ids=["resnet18", "vgg11_bn"])
def test_slimming_scores_channels_by_the_scale_of_their_norm(make):
    model = make()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, generator=torch.Generator().manual_seed(len(module.weight)))
    scores = saliency("slimming", cut(model, (3, 32, 32), 10))
    convolutions = [f"{name}.weight" for name, layer in layers(model).items() if isinstance(layer, nn.Conv2d)]
    assert list(scores) == convolutions
    gammas = torch.cat([score.flatten() for score in scores.values()])
    expected = torch.cat([m.weight.detach().abs() for m in model.modules() if isinstance(m, nn.BatchNorm2d)])
    assert torch.equal(gammas.sort().values, expected.sort().values)


class Untraced(nn.Module):
    """Its graph depends on what it sees."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3)

    def forward(self, x):
        x = self.norm(self.conv(x))
        return (x if x.sum() > 0 else -x).mean((2, 3))


class Bent(nn.Module):
    def __init__(self, bend):
        super().__init__()
        self.flat, self.one, self.two, self.bend = nn.Flatten(), nn.Linear(32, 8), nn.Linear(8, 3), bend

    def forward(self, x):
        return self.two(self.bend(self.one(self.flat(x))))


class Idle(Mlp):
    def __init__(self):
        super().__init__()
        self.idle = nn.Linear(3, 3)


def bent(bend):
    return lambda: Bent(bend)


REFUSED = {  # criterion, what makes a network, words of the reason
    "synflow sigmoid": ("synflow", bent(nn.Sigmoid()), "puts out twice as much for twice the image"),
    "synflow gelu": ("synflow", bent(nn.GELU()), "as those of ReLU, maxima, means and sums; Bent does not"),
    "synflow softmax": ("synflow", bent(nn.Softmax(1)), "synflow needs a network that puts out twice"),
    "synflow idle": ("synflow", Idle, "needs layers that an image passes: not so idle.weight"),
    "cavity idle": ("cavity", Idle, r"layers that an image passes once .* not so idle \(0 times\)"),
    "slimming mlp": ("slimming", Mlp, "needs convolutions with a batch norm .*: Mlp has no"),
    "slimming vgg": ("slimming", vgg11, "features.18.weight of Sequential: there is none"),
    "slimming some": ("slimming", Twisted, "b.weight, c.weight, d.weight of Twisted: there is none behind"),
    "slimming untraced": ("slimming", Untraced, "the graph of Untraced cannot be traced"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_network_that_a_criterion_does_not_score_is_refused_with_the_reason(case):
    criterion, make, said = REFUSED[case]
    shape = (3, 32, 32) if "vgg" in case else (2, 4, 4)
    with pytest.raises(ValueError, match=said):
        saliency(criterion, cut(make(), shape))


@pytest.mark.parametrize("bend", [nn.ReLU(), nn.LeakyReLU(), nn.Identity(), nn.LayerNorm(8), nn.Dropout()])
def test_synflow_is_defined_where_output_scales_with_input(bend):
    assert saliency("synflow", cut(Bent(bend)))["one.weight"].sum() > 0


@pytest.mark.parametrize("criterion", CRITERIA)
def test_masks_of_no_weights_are_refused(criterion):
    model = made(Mlp)
    wrong = {"frist.weight": torch.ones(12, 32, dtype=torch.bool)}
    with pytest.raises(
        ValueError,
        match=r"'frist.weight' \(did you mean first.weight\?\); choose from first.b",
    ):
        saliency(criterion, Cut(model, wrong))
    with pytest.raises(ValueError, match=r"differ in shape: \(2, 2\) and \(12, 32\)"):
        saliency(criterion, Cut(model, {"first.weight": torch.ones(2, 2, dtype=torch.bool)}))


# --- torch.nn.utils.prune on the same networks


@pytest.mark.parametrize("name", KNOWN)
def test_magnitude_in_one_pool_removes_what_torch_removes(name):
    some, fraction = cut(KNOWN[name](), (3, 32, 32), 10), 0.73
    ours = prune(some.masks, saliency("magnitude", some), fraction, "global", "nearest")
    theirs = copy.deepcopy(some.model)
    pairs = [(layer, "weight") for layer in layers(theirs).values()]
    torch_prune.global_unstructured(pairs, torch_prune.L1Unstructured, amount=fraction)
    for layer, (module, _) in zip(layers(theirs), pairs):
        assert torch.equal(ours[f"{layer}.weight"], module.weight_mask.bool())


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("norm, p", [("l1", 1), ("l2", 2), ("l-inf", -float("inf"))])
@pytest.mark.parametrize("axis, dim", [("outputs", 0), ("inputs", 1)])
def test_structured_pruning_removes_what_torch_removes(name, norm, p, axis, dim):
    some = cut(KNOWN[name]().double(), (3, 32, 32), 10)  # norms that single precision would not tell apart
    ours = prune(some.masks, saliency(f"{norm}-{axis}", some), 0.4, "layer", "nearest")
    for layer, module in layers(copy.deepcopy(some.model)).items():
        torch_prune.ln_structured(module, "weight", 0.4, p, dim)
        assert torch.equal(ours[f"{layer}.weight"], module.weight_mask.bool())


# --- torch-pruning on the same networks

STORED = json.loads(peers.FILE.read_text(encoding="utf-8"))


class Batch:
    """One batch of images, whatever is asked for."""

    labels = peers.batch()[1]

    def __len__(self):
        return 4

    def batch(self, index):
        return peers.batch()


@pytest.mark.parametrize("name", peers.CHOSEN)
def test_scores_of_channels_are_those_of_torch_pruning(name):
    assert STORED["torch-pruning"] == "1.6.1"
    model = peers.filled(name)
    names = [f"{layer}.weight" for layer in peers.CHOSEN[name]]
    masks = {weights: torch.ones_like(model.get_parameter(weights), dtype=torch.bool) for weights in names}
    some = Cut(model, masks, Batch(), torch.Generator())
    ours = {
        "l1": saliency("l1-outputs", some),
        "l2": {key: value**2 for key, value in saliency("l2-outputs", some).items()},
        "taylor": {key: value.flatten(1).sum(1) for key, value in saliency("snip", some).items()},
    }
    if name == "vgg11_bn":
        convolutions = {key: mask for key, mask in masks.items() if mask.ndim == 4}
        ours["scale"] = saliency("slimming", Cut(model, convolutions))
    for layer, kinds in STORED["scores"][name].items():
        for kind, theirs in kinds.items():
            scores = ours[kind][f"{layer}.weight"].flatten()[: peers.FEW].tolist()
            assert scores == pytest.approx(theirs, rel=1e-5, abs=1e-9), f"{layer} {kind}"
