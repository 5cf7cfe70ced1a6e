"""Accuracy between networks: planes, lines, and what batch norm does on the way."""

import dataclasses

import numpy as np
import pytest
import torch

from sifting import config, data
from sifting.probes import surface
from sifting.pruning.prunable import with_norms
from sifting.results.axes import STATISTICS
from sifting.results.masks import at
from sifting.training import models
from sifting.training.reference import evaluate, generator


def smoke(**fields):
    return config.preset("smoke", family="resnet20", **fields)


@pytest.fixture(scope="module")
def run():
    base = smoke(criterion="slimming", prune_fraction=0.3, steps=20, retrain_steps=10, cells=5, levels=2)
    return base, list(surface.SURFACE.find(base))


def networks(base, records, level):
    """W*, Wp and Wr of a level, as anybody would build them."""
    images, found = data.load(base), []
    for before, after in ((0, 0), (level - 1, level), (level, level)):
        model = models.build(base, images.shape, images.classes, generator(base, "weights")).eval()
        record = records[before]
        model.load_state_dict(
            {
                n.removeprefix("trained/"): torch.from_numpy(v)
                for n, v in record.items()
                if n.startswith("trained/")
            }
        )
        masks = {
            n.removeprefix("removed_at/"): torch.from_numpy(at(v, after))
            for n, v in records[level].items()
            if n.startswith("removed_at/")
        }
        if after:
            with torch.no_grad():
                for name, mask in with_norms(model, masks).items():
                    model.get_parameter(name).mul_(mask)
        found.append(model)
    split = images.train
    split.images.where = split.images.where[: base.probe_images]
    split.labels = split.labels[: base.probe_images]
    return found, split


def test_axes_are_orthonormal_and_put_the_points_where_they_are():
    draw = torch.Generator().manual_seed(0)
    points = [torch.randn(40, generator=draw, dtype=torch.float64) for _ in range(3)]
    first, second, places = surface.axes(points)
    assert torch.stack([first, second]) @ torch.stack([first, second]).T == pytest.approx(
        np.eye(2), abs=1e-12
    )
    for point, (x, y) in zip(points, places):
        assert torch.allclose(points[0] + x * first + y * second, point)
    assert places[1, 1] == 0 and places[2, 1] > 0


def test_axes_of_a_line_have_no_second_one():
    start = torch.arange(5.0)
    first, second, places = surface.axes([start, start + 2, start + 3])
    assert not second.any() and places[:, 1] == pytest.approx(0, abs=1e-5)
    first, _, places = surface.axes([start, start, start + 3])
    assert first.norm() == pytest.approx(1) and places[1] == pytest.approx([0, 0])


@pytest.mark.parametrize("level", [1, 2])
def test_the_cell_of_each_network_is_its_own_accuracy(run, level):
    base, records = run
    record, (models_, split) = records[level], networks(base, records, level)
    x, y, points = (record[f"probe/{name}"] for name in ("x", "y", "points"))
    own = [evaluate(model, split) for model in models_]
    assert record["probe/own"][0] == pytest.approx(own)
    cells = [(abs(y - b).argmin(), abs(x - a).argmin()) for a, b in points]
    assert len(set(cells)) == 3
    for network, cell in enumerate(cells):
        assert record["probe/plane"][0][cell] == pytest.approx(own[network])
        assert record["probe/plane"][2][cell] == record["probe/own"][2, network]
    assert record["probe/own"][2, 0] == record["probe/own"][0, 0], (
        "frozen and interpolated agree at the dense network"
    )


def test_recomputed_statistics_are_those_of_a_pass_in_training_mode(run):
    base, records = run
    models_, split = networks(base, records, 1)
    x, y = split.batch(torch.arange(len(split)))
    for number, model in enumerate(models_):
        with torch.no_grad():
            right = (model.train()(x).argmax(1) == y).float().mean().item()
        assert records[1]["probe/own"][1, number] == pytest.approx(right)


def test_lines_end_at_their_networks_and_between_is_the_mean_of_the_weights(run):
    base, records = run
    (dense, _, after), split = networks(base, records, 1)
    lines = records[1]["probe/line"]
    assert np.array_equal(*lines), "at the first level the network before is the dense one"
    later = records[2]["probe/line"]
    (*_, last), _ = networks(base, records, 2)
    for line, (start, end) in {0: (dense, last), 1: (after, last)}.items():
        ends = [evaluate(network, split) for network in (start, end)]
        assert later[line, 0, [0, -1], 0] == pytest.approx(ends)
    middle = models.build(base, (3, 8, 8), 15, generator(base, "weights")).eval()
    ends = dense.state_dict(), after.state_dict()
    middle.load_state_dict(
        {
            n: (a + b) / 2 if a.is_floating_point() else a
            for (n, a), b in zip(ends[0].items(), ends[1].values())
        }
    )
    assert lines[0, 0, surface.POINTS // 2, 0] == pytest.approx(evaluate(middle, split))


def test_distances_are_those_of_all_parameters(run):
    base, records = run
    (dense, pruned, after), _ = networks(base, records, 2)
    flat = [torch.cat([p.detach().flatten() for p in model.parameters()]) for model in (dense, pruned, after)]
    expected = [(flat[1] - flat[0]).norm(), (flat[2] - flat[0]).norm(), (flat[2] - flat[1]).norm()]
    assert records[2]["probe/apart"] == pytest.approx([float(value) for value in expected], rel=1e-5)
    places = records[2]["probe/points"]
    assert np.linalg.norm(places[2] - places[1]) == pytest.approx(float(expected[2]), rel=1e-4)


@pytest.mark.parametrize("kind", [kind for kind in STATISTICS if kind != "recomputed"])
def test_beyond_the_networks_statistics_go_on_as_weights_do_but_for_variances_that_are_too_small(run, kind):
    base, records = run
    (dense, pruned, after), split = networks(base, records, 2)
    record, model = records[2], models.build(base, (3, 8, 8), 15, generator(base, "weights")).eval()
    states, beyond = [network.state_dict() for network in (dense, pruned, after)], 0
    own = [
        (abs(record["probe/y"] - y).argmin(), abs(record["probe/x"] - x).argmin())
        for x, y in record["probe/points"]
    ]
    for row, column in np.ndindex(base.cells, base.cells):
        place = record["probe/x"][column], record["probe/y"][row]
        b, c = np.linalg.solve(record["probe/points"][1:].T, place)
        beyond += b < 0 or c < 0 or b + c > 1
        state = dict(states[0])
        for name, value in state.items():
            still = not value.is_floating_point() or ("running" in name and kind == "frozen")
            if not still:
                state[name] = value + b * (states[1][name] - value) + c * (states[2][name] - value)
            if name.endswith("running_var"):
                state[name] = state[name].clamp(min=torch.stack([s[name] for s in states]).amin(0))
        model.load_state_dict(state)
        if (row, column) not in own:
            assert record["probe/plane"][STATISTICS.index(kind), row, column] == pytest.approx(
                evaluate(model, split), abs=0.051
            )
    assert beyond > 5


def test_no_variance_falls_below_the_smallest_of_the_networks(run):
    base, records = run
    (dense, _, after), split = networks(base, records, 2)
    images = surface.Networks(dense, *split.batch(torch.arange(len(split))))
    ends = [images.point(model.state_dict()) for model in (dense, after)]
    far = tuple(a + 5 * (b - a) for a, b in zip(*ends))
    images.accuracy(*far, images.least(*ends))
    for name, value in images.statistics.items():
        if name.endswith("running_var"):
            smallest = torch.minimum(dense.state_dict()[name], after.state_dict()[name])
            assert (value >= smallest).all()
        else:
            a, b = dense.state_dict()[name], after.state_dict()[name]
            assert torch.allclose(value, a + 5 * (b - a), atol=1e-5)


def test_what_is_measured_of_the_last_level_alone_is_what_is_measured_of_it_anyway(run):
    base, records = run
    for cells in (base.cells, 0):
        found = list(surface.SURFACE.find(dataclasses.replace(base, probed="last", cells=cells)))
        probes = [{name: values for name, values in record.items() if "probe/" in name} for record in found]
        assert not probes[0] and ("probe/line" in probes[-1]) and ("probe/plane" in probes[-1]) == (cells > 0)
        assert all(np.array_equal(values, records[-1][name]) for name, values in probes[-1].items())
        if cells:
            assert "probe/line" not in probes[1] and np.isnan(probes[1]["probe/plane"][2]).all()
            assert np.array_equal(probes[1]["probe/plane"][:2], records[1]["probe/plane"][:2])
            assert np.array_equal(probes[1]["probe/own"], records[1]["probe/own"])
        else:
            assert not probes[1]


def test_networks_without_norms_and_runs_without_planes_have_lines():
    base = config.preset("smoke", probe_images=20, levels=1, batch_norm="none")
    records = list(surface.SURFACE.find(base))
    line = records[1]["probe/line"]
    assert np.array_equal(line[:, 0], line[:, 1]) and "probe/plane" not in records[1]
    with pytest.raises(ValueError, match="an accuracy surface needs probe_images=1 or more"):
        next(surface.SURFACE.find(smoke(probe_images=0)))
