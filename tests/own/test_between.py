"""Lines, barriers and planes between networks of any form."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import prune

import sifting
from sifting.results.axes import STATISTICS
from tests.own.networks import KNOWN
from tests.own.test_examining import Cnn, Mlp, X, Y, made, pruned_by_torch


def accuracy(model, recomputed=False):
    model = copy.deepcopy(model).eval()
    if recomputed:
        for module in model.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                module.train()
    return float((model(X).argmax(1) == Y).float().mean())


@pytest.mark.parametrize("kind", [Mlp, Cnn])
def test_the_ends_of_a_line_are_the_networks_and_its_middle_is_their_mean(kind):
    a, b = made(kind, 0), made(kind, 1)
    rows = sifting.networks(a, X, Y).line(a, b, points=3)
    assert list(rows) == list(STATISTICS)
    middle = copy.deepcopy(a)
    middle.load_state_dict(
        {name: (value + b.state_dict()[name]) / 2 for name, value in a.state_dict().items()}
    )
    expected = [accuracy(model) for model in (a, middle, b)]
    assert rows["interpolated"]["accuracy"] == pytest.approx(expected)
    assert rows["recomputed"]["accuracy"] == pytest.approx([accuracy(m, True) for m in (a, middle, b)])
    assert rows["frozen"]["accuracy"][0] == pytest.approx(accuracy(a))
    frozen = copy.deepcopy(b)
    frozen.load_state_dict(b.state_dict() | dict(a.named_buffers()))
    assert rows["frozen"]["accuracy"][2] == pytest.approx(accuracy(frozen))


def test_dropout_is_off_where_statistics_are_recomputed():
    a = made(Cnn)
    found = [sifting.networks(a, X, Y).line(a, a, points=2)["recomputed"]["loss"] for _ in range(2)]
    assert (found[0] == found[1]).all() and found[0][0] == found[0][1]


def test_a_network_has_no_barrier_to_itself_nor_to_one_that_a_straight_fall_leads_to():
    a = made(Mlp)
    assert sifting.networks(a, X, Y).barrier(a, a) == pytest.approx(dict.fromkeys(STATISTICS, 0))
    b = made(Mlp, 5)
    row = sifting.networks(a, X, Y).line(a, b)["interpolated"]["accuracy"]
    mixture = row[0] + (row[-1] - row[0]) * np.linspace(0, 1, len(row))
    assert sifting.networks(a, X, Y).barrier(a, b)["interpolated"] == pytest.approx((mixture - row).max())


def test_a_plane_has_its_networks_in_their_cells_and_can_be_explored():
    a, b, c = (made(Cnn, seed) for seed in range(3))
    found = sifting.networks(a, X, Y).plane(a, b, c, cells=5)
    assert found["accuracy"].shape == (3, 5, 5) and found["own"].shape == (3, 3)
    flat = [torch.cat([p.detach().flatten() for p in model.parameters()]) for model in (a, b, c)]
    distances = [float((flat[i] - flat[j]).norm()) for i, j in ((0, 1), (0, 2), (1, 2))]
    apart = [np.linalg.norm(found["points"][i] - found["points"][j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    assert apart == pytest.approx(distances, rel=1e-4)
    assert found["own"][0] == pytest.approx([accuracy(model) for model in (a, b, c)])
    for number, (x, y) in enumerate(found["points"]):
        cell = abs(found["y"] - y).argmin(), abs(found["x"] - x).argmin()
        assert found["accuracy"][0][cell] == found["own"][0, number]


def test_pruned_networks_and_states_are_points_too():
    a, b = made(Mlp, 0), pruned_by_torch(made(Mlp, 1).eval())
    between = sifting.networks(b, X, Y)
    plain = copy.deepcopy(made(Mlp, 1))
    for name in ("first", "last"):
        getattr(plain, name).weight.data = getattr(b, name).weight.detach().clone()
    rows = [between.line(a, end, points=4) for end in (b, plain, plain.state_dict())]
    for row in rows[1:]:
        assert (row["interpolated"]["loss"] == rows[0]["interpolated"]["loss"]).all()


@pytest.mark.parametrize("name", KNOWN)
def test_known_networks_have_ground_between_them(name):
    model = KNOWN[name]()
    other = copy.deepcopy(model)
    prune.l1_unstructured(next(m for m in other.modules() if isinstance(m, nn.Conv2d)), "weight", amount=0.5)
    x = torch.randn(6, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    between = sifting.networks(model, x, torch.arange(6))
    rows = between.line(model, other, points=2)
    with torch.no_grad():
        expected = nn.functional.cross_entropy(other.eval()(x), torch.arange(6))
    assert rows["interpolated"]["loss"][1] == pytest.approx(float(expected), rel=1e-4)


MODEL = made(Mlp)
REFUSED = {
    "no labels": (lambda: sifting.networks(MODEL, X, None), "labels are needed"),
    "no network": (
        lambda: sifting.networks(MODEL, X, Y).barrier(MODEL, 3),
        "b is to be a module or",
    ),
    "another form": (
        lambda: sifting.networks(MODEL, X, Y).plane(MODEL, made(Cnn), MODEL),
        "network b is of another form: last.weight missing, not .*and more",
    ),
    "a pruned state": (
        lambda: sifting.networks(MODEL, X, Y).line(pruned_by_torch(made(Mlp)).state_dict(), MODEL),
        "network a is of another form: .*give modules, not states",
    ),
    "nan": (
        lambda: sifting.networks(MODEL, X, Y).line(
            MODEL, {k: v * float("nan") for k, v in MODEL.state_dict().items()}
        ),
        "network b has weights that are no numbers",
    ),
    "infinity": (
        lambda: sifting.networks(nn.Sequential(Mlp(), nn.Threshold(torch.inf, torch.nan)), X, Y),
        "Sequential says nan or infinity of some of these images",
    ),
    "one cell": (
        lambda: sifting.networks(MODEL, X, Y).plane(*[MODEL] * 3, cells=1),
        "cells is a whole number",
    ),
    "points": (lambda: sifting.networks(MODEL, X, Y).line(MODEL, MODEL, 2.0), "points is a whole number, 2"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_has_no_place_is_refused_with_what_is_needed(case):
    asked, said = REFUSED[case]
    with pytest.raises(ValueError, match=said):
        asked()
