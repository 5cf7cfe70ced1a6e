"""Tables and figures of accuracy between networks, of runs whose barriers are known."""

import dataclasses

import numpy as np
import pytest

from sifting import config, figures, observables
from sifting.publish import plans
from sifting.results.axes import LINES, STATISTICS
from sifting.tables import learning, surface
from sifting.widgets import SurfaceExplorer
from tests.known import Known

POINTS, CELLS = 21, 6
BASE = config.preset("smoke", family="resnet20")


class Dip(Known):
    """A run of one convolution with four channels, one of which goes at every level.

    Accuracy falls from 1 to 0.8 along the line from W* to Wr, and half way by `depth` more with interpolated
    statistics, by half of that with recomputed ones; that of Wp is 0.5.
    """

    def __init__(self, depth, levels=2, seed=0, test=0.7, planes=True):
        self.config, self.kind, self.key = dataclasses.replace(BASE, seed=seed), "surface", f"{depth}-{seed}"
        removed_at = np.array([1, 2, 3, 255], np.uint8)[:, None, None, None] * np.ones((1, 2, 3, 3), np.uint8)
        removed_at[removed_at > levels] = 255
        curve = np.linspace(0.9, test, levels + 1)[:, None]
        self.arrays = {"removed_at/conv1.weight": removed_at}
        self.arrays |= {name: curve for name in ("val_accuracy", "test_accuracy", "train_accuracy")}
        t = np.linspace(0, 1, POINTS)
        dip = 1 - abs(2 * t - 1)
        for level in range(1, levels + 1):
            lines = np.zeros((len(LINES), len(STATISTICS), POINTS, 2), np.float32)
            for kind, part in enumerate((1, 0.5, 0)):
                lines[:, kind, :, 0] = 1 - 0.2 * t - part * depth * dip
                lines[:, kind, :, 1] = 0.1 + t + 2 * part * depth * dip
            self.arrays[f"line/{level}"] = lines
            self.arrays[f"apart/{level}"] = np.array([3, 4, 5.0]) * level
            self.arrays[f"own/{level}"] = np.array([[1, 0.5, 0.8]] * len(STATISTICS)) - 0.01 * (
                level < levels
            )
            if planes:
                draw = np.random.default_rng(level)
                self.arrays[f"plane/{level}"] = draw.random((len(STATISTICS), CELLS, CELLS))
                self.arrays[f"x/{level}"], self.arrays[f"y/{level}"] = (
                    level * np.linspace(-1, 5, CELLS),
                    level * np.linspace(-2, 6, CELLS),
                )
                self.arrays[f"points/{level}"] = level * np.array([[0, 0], [3, 0], [0, 4.0]])


@pytest.fixture
def groups():
    return {
        "shallow": [Dip(0.1, seed=seed) for seed in range(3)],
        "deep": [Dip(0.4 + 0.1 * seed, seed=seed) for seed in range(3)],
    }


# --- barriers


def test_a_barrier_is_the_depth_below_the_straight_line():
    t = np.linspace(0, 1, POINTS)
    dip = 1 - abs(2 * t - 1)
    assert observables.surface.barrier(0.9 - 0.3 * t - 0.25 * dip) == pytest.approx(0.25)
    assert observables.surface.barrier(np.stack([0 * t, dip, t**2])) == pytest.approx([0, 0, 0.25])


@pytest.mark.parametrize("seed", range(5))
def test_a_barrier_has_no_sign_no_direction_and_no_slope(seed):
    draw = np.random.default_rng(seed)
    accuracy = draw.random(POINTS)
    high = observables.surface.barrier(accuracy)
    assert high >= 0 and observables.surface.barrier(accuracy[::-1]) == pytest.approx(high)
    slope = 0.7 * np.linspace(0, 1, POINTS)
    assert observables.surface.barrier(accuracy + 3 - slope) == pytest.approx(high)


def test_barriers_are_in_points_of_every_run_and_kind_of_statistics(groups):
    found = surface.barriers(groups)
    assert tuple(found) == STATISTICS
    assert found["interpolated"]["shallow"] == pytest.approx([10, 10, 10], abs=1e-4)
    assert found["interpolated"]["deep"] == pytest.approx([40, 50, 60], abs=1e-4)
    assert found["recomputed"]["deep"] == pytest.approx([20, 25, 30], abs=1e-4)
    assert found["frozen"]["deep"] == pytest.approx([0, 0, 0], abs=1e-4)
    nats = surface.barriers(groups, of="loss")
    assert nats["interpolated"]["deep"] == pytest.approx([0.8, 1, 1.2], abs=1e-5)
    assert nats["frozen"]["deep"] == pytest.approx([0, 0, 0], abs=1e-6)
    with pytest.raises(ValueError, match="unknown measure 'nats'; choose from accuracy, loss"):
        surface.barriers(groups, of="nats")
    rows = surface.barrier_rows(groups)
    assert rows[1] == ["deep", "50.0 ± 10.0", "25.0 ± 5.0", "0.0 ± 0.0", "0.500 ± 0.100"]
    assert len(rows[0]) == 1 + len(surface.BARRIER_HEAD)


def test_the_lines_are_those_to_the_last_network(groups):
    rows = surface.between(groups)["interpolated"]["deep"]
    assert rows.shape == (3, POINTS)
    assert rows[:, [0, -1]] == pytest.approx(np.array([[1, 0.8]] * 3))
    run = groups["deep"][0]
    run.arrays["line/1"] = np.full_like(run["line/1"], np.nan)
    assert np.isfinite(surface.between(groups)["interpolated"]["deep"]).all()


def test_the_gap_between_statistics_has_no_sign(groups):
    run = groups["deep"][0]
    assert surface.statistics_gap([run]) == pytest.approx(100 * 0.2 * 10 / 21, abs=1e-3)
    flipped = Dip(0.4)
    flipped.arrays["line/2"] = run["line/2"][:, [1, 0, 2]]
    assert surface.statistics_gap([flipped]) == pytest.approx(surface.statistics_gap([run]))


def test_a_line_knows_where_its_points_are(groups):
    found = surface.along(groups, "recomputed", of="loss")
    for name, rows in surface.between(groups, of="loss")["recomputed"].items():
        np.testing.assert_array_equal(found[name]["loss"], rows)
        np.testing.assert_allclose(found[name]["t"], np.arange(rows.shape[1]) / (rows.shape[1] - 1))


def test_unknown_lines_and_statistics_are_refused(groups):
    with pytest.raises(ValueError, match="unknown line 'half'; choose from step, whole"):
        surface.between(groups, "half")
    with pytest.raises(
        ValueError, match="unknown statistics 'own'; choose from frozen, interpolated, recomputed"
    ):
        surface.plane(groups["deep"][0], "own", 1)


# --- networks


def test_networks_are_the_ends_of_the_lines(groups):
    found = surface.networks(groups["deep"])
    assert {name: values.tolist() for name, values in found.items()} == {
        "W*": pytest.approx([100] * 3),
        "Wp": pytest.approx([50] * 3),
        "Wr": pytest.approx([80] * 3),
    }
    assert learning.tested(groups["deep"]) == pytest.approx([70] * 3)
    assert surface.apart(groups["deep"][0]).tolist() == [[3, 4, 5], [6, 8, 10]]
    assert surface.distance_rows(groups, 2)[1] == ["deep", "4.00", "8.00"]
    assert surface.distance_rows(groups, 1)[1] == ["deep", "4.00"]


def test_a_layer_is_lost_at_the_level_that_takes_its_last_channel():
    assert surface.emptied(Dip(0.1)) == {}
    run = Dip(0.1)
    run.arrays["removed_at/conv1.weight"] = np.minimum(run["removed_at/conv1.weight"], 2)
    run.arrays["removed_at/conv2.weight"] = np.full((4, 2, 3, 3), 1, np.uint8)
    assert surface.emptied(run) == {"conv1": 2, "conv2": 1}
    groups = {"whole": [Dip(0.1)], "pruned": [run, Dip(0.1)]}
    assert surface.emptied_words(groups) == "conv1 in cycle 2 (pruned), conv2 in cycle 1 (pruned)"
    assert surface.emptied_words({"whole": [Dip(0.1)]}) == "none"
    run.arrays["removed_at/conv1.weight"][0, 0, 0, 0] = 255
    assert surface.emptied(run) == {"conv2": 1}, "one weight that is left is a channel that is left"


def test_rows_say_what_is_kept_how_far_networks_are_and_what_they_know(groups):
    assert surface.network_rows({"one": groups["deep"][:1]}) == [
        ["one", "50.0 %", "6.00", "8.00", "10.00", "50.0 %", "50.0 %", "80.0 %", "0"]
    ]
    assert surface.network_rows(groups)[0][-1] == "0.0 ± 0.0"
    assert len(surface.network_rows(groups)[0]) == 1 + len(surface.NETWORK_HEAD)
    small = {name: [Dip(0, levels=1, test=0.6)] for name in groups}
    assert surface.retrained_rows(groups, small)[0] == [
        "shallow", "50.0 ± 0.0 %", "70.0 ± 0.0 %", "80.0 ± 0.0 %", "75.0 %", "60.0 %",
    ]  # fmt: skip
    assert len(surface.retrained_rows(groups, small)[0]) == 1 + len(surface.RETRAINED_HEAD)


@pytest.mark.parametrize("way", plans.surface.WAYS)
def test_a_way_says_what_goes_and_how_a_network_is_trained_again(way):
    [row] = surface.way_rows({way: plans.surface.WAYS[way]})
    share = f"{plans.surface.ways(BASE)[way].prune_fraction:.0%}".replace("%", " %")
    pruned, _, again = way.partition(", ")
    assert row[:2] == [way, f"{share} of the {pruned} left"]
    assert ("last" in row[2], "all" in row[2]) == (again == "fine-tuned", again == "rate rewound")


# --- planes


def test_a_plane_is_that_of_its_level_and_statistics(groups):
    run = groups["deep"][0]
    found = surface.plane(run, "recomputed", 2)
    assert np.array_equal(found["accuracy"], run["plane/2"][1])
    assert np.array_equal(found["own"], run["own/2"][1])
    assert np.array_equal(found["points"], [[0, 0], [6, 0], [0, 8]])
    assert np.array_equal(found["x"], run["x/2"]) and np.array_equal(found["y"], run["y/2"])


def test_planes_come_by_statistics_and_by_cycle(groups):
    run = groups["deep"][0]
    kinds, cycles = surface.by_statistics(run, 2), surface.by_cycle(run, "recomputed", 2)
    assert tuple(kinds) == STATISTICS and list(cycles) == ["cycle 1", "cycle 2"]
    for number, kind in enumerate(STATISTICS):
        assert np.array_equal(kinds[kind]["accuracy"], run["plane/2"][number])
    for level, found in enumerate(cycles.values(), 1):
        assert np.array_equal(found["accuracy"], run[f"plane/{level}"][1])
    assert list(surface.by_statistics(run, 1, ("frozen",))) == ["frozen"]


def test_the_explorer_takes_all_planes_also_of_a_run_that_ended_before(groups):
    groups["short"] = [Dip(0.2, levels=1)]
    table = surface.planes(groups)
    assert table["accuracy"].shape == (3, 2, len(STATISTICS), CELLS, CELLS)
    assert np.array_equal(table["accuracy"][1, 0], groups["deep"][0]["plane/1"])
    assert np.isnan(table["accuracy"][2, 1]).all() and np.isfinite(table["accuracy"][2, 0]).all()
    assert table["share"] == pytest.approx(np.array([[0.75, 0.5], [0.75, 0.5], [0.75, np.nan]]), nan_ok=True)
    assert "3 ways; 2 cycles; 6 x 6 cells" in repr(SurfaceExplorer.from_tables(table))


def test_the_explorer_offers_the_statistics_that_all_planes_have(groups):
    groups["short"] = [Dip(0.2, levels=1)]
    for run in (groups["deep"][0], groups["shallow"][0]):
        run.arrays["plane/1"][2] = np.nan
    table = surface.planes(groups)
    assert table["statistics"] == ["interpolated", "recomputed"]
    assert table["accuracy"].shape == (3, 2, 2, CELLS, CELLS) and table["own"].shape == (3, 2, 2, 3)
    assert np.array_equal(table["accuracy"][1, 1], groups["deep"][0]["plane/2"][:2])
    assert "3 ways" in repr(SurfaceExplorer.from_tables(table))


# --- leaving


@pytest.fixture
def dialled():
    """Barriers of 10 points for each fifth of the channels and each length; one more a seed."""
    cells = plans.surface.dial()
    groups = {
        name: [Dip((50 * share * length + seed) / 100, levels=1, seed=seed) for seed in range(3)]
        for (share, length), name in cells.items()
    }
    return groups | {"weights": [Dip(0.0)] * 3, "trained anew": [Dip(0.7)] * 3}, cells


def test_the_dial_orders_barriers_by_share_and_length(dialled):
    table = surface.leaving(*dialled)
    found = table["interpolated"]
    assert found["share"].tolist() == [0.2, 0.4, 0.6, 0.8] and list(found["lengths"]) == [1, 3]
    assert found["lengths"][1] == pytest.approx(
        np.array([[10, 20, 30, 40]]) + np.arange(3)[:, None], abs=1e-3
    )
    assert found["lengths"][3][:, 3] == pytest.approx([120, 121, 122], abs=1e-3)
    assert table["recomputed"]["lengths"][1][0] == pytest.approx([5, 10, 15, 20], abs=1e-3)
    assert found["beside"]["trained anew"] == pytest.approx([70] * 3, abs=1e-3)
    assert list(found["beside"]) == ["weights", "trained anew"]


@pytest.mark.parametrize("preset", config.PRESETS)
def test_lengths_of_the_training_are_told_in_parts_of_the_pretraining(preset):
    base = config.preset(preset, family="resnet20")
    groups, words = plans.surface.leaving(base, 1), plans.surface.lengths(base)
    for (_, length), name in plans.surface.dial().items():
        [run] = groups[name]
        assert (
            words[length] == f"retrained for {100 * run.retrain_steps / run.steps:.0f} % of the pretraining"
        )


# --- figures


def test_networks_are_marked_where_they_are_and_colors_are_shared(groups):
    table = {
        name: {f"cycle {level}": surface.plane(runs[0], "interpolated", level) for level in (1, 2)}
        for name, runs in groups.items()
    }
    axes = figures.surface.planes(table).axes[:4]
    for ax, (level, name) in zip(axes, [(1, "shallow"), (2, "shallow"), (1, "deep"), (2, "deep")]):
        marks = np.array([np.ravel(line.get_data()) for line in ax.lines])
        assert np.array_equal(marks, groups[name][0][f"points/{level}"])
        [mesh] = [found for found in ax.collections if hasattr(found, "get_coordinates")]
        assert mesh.get_clim() == (0, 1)
        assert np.array_equal(
            np.asarray(mesh.get_array()).reshape(CELLS, CELLS), groups[name][0][f"plane/{level}"][0]
        )
        assert ax.get_xticks().tolist() == [0, 3 * level] and ax.get_yticks().tolist() == [0, 4 * level]


def test_a_plane_of_one_accuracy_has_no_contours(groups):
    flat = surface.plane(groups["deep"][0], "interpolated", 1) | {"accuracy": np.full((CELLS, CELLS), 0.5)}
    figure = figures.surface.planes({"way": {"flat": flat}})
    figure.canvas.draw()
    assert len(figure.axes[0].collections) == 1


def test_lines_are_means_over_runs_and_the_control_is_gray(groups):
    table = surface.between(groups)
    axes = figures.surface.between(table, "shallow").axes
    assert [ax.get_title() for ax in axes] == list(STATISTICS)
    for ax, conditions in zip(axes, table.values()):
        for line, rows in zip(ax.lines, conditions.values()):
            assert line.get_ydata() == pytest.approx(rows.mean(0))
        lowest = min(rows.mean(0).min() for conditions in table.values() for rows in conditions.values())
        assert ax.get_ylim()[0] < lowest, "the panels share an axis on which all of them are seen"
    assert axes[0].lines[0].get_color() == figures.style.NULL != axes[0].lines[1].get_color()


def test_the_dial_is_drawn_beside_its_controls(dialled):
    table = surface.leaving(*dialled)
    words = {1: "short", 3: "long"}
    for ax, found in zip(figures.surface.leaving(table, words, "points", level=2).axes, table.values()):
        heights = {line.get_label(): line.get_ydata() for line in ax.lines}
        for length, rows in found["lengths"].items():
            assert heights[words[length]] == pytest.approx(rows.mean(0))
        assert heights["weights"] == pytest.approx(found["beside"]["weights"].mean() * np.ones(2))
        assert f"(trained anew: {found['beside']['trained anew'].mean():.2g})" in ax.get_title()
