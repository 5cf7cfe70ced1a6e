"""Tables of what sets of weights are worth, from runs in which that is known."""

import dataclasses

import numpy as np
import pytest

from sifting import config, figures
from sifting.results.axes import BASES, RATIOS, WINDOWS
from sifting.results.history import History
from sifting.tables import learning, utility

SETS = 40


class Known(History):
    """A run in which a set of a share r is worth r times a number of its own, doubled at every time and halved by pruning."""

    def __init__(self, seed=0, factor=1.0, start_density=1.0, times=4):
        base = config.preset("smoke", family="resnet20", levels=1, seed=seed, start_density=start_density)
        self.config, self.kind, self.key = dataclasses.replace(base, subsets=SETS), "utility", "known"
        own = np.random.default_rng(7).gamma(4, 1, SETS)
        sets = factor * np.array(RATIOS)[:, None] * own
        parts = np.stack([0.9 * sets, 1.1 * sets], -1)
        nothing = np.full_like(parts, np.nan)
        number = parts / start_density if start_density < 1 else nothing
        rows = [np.stack([2**n * parts, 2**n * number, nothing]) for n in range(times)]
        rows[-1][BASES.index("survivors")] = rows[-1][0]
        left = np.where(
            np.isnan(np.array(rows)[..., 0]),
            np.nan,
            0.9 - np.array(RATIOS)[:, None] - 0.1 * (own > np.median(own)),
        )
        self.arrays = {
            "utility/0": np.array(rows), "remaining/0": left, "whole/0": np.full((times, 2), [0.95, 0.1]),
            "times/0": np.arange(times) * 2, "utility/1": np.array(rows)[-1:] / 2, "remaining/1": left[-1:],
            "whole/1": np.full((1, 2), [0.9, 0.2]),
            "windows/0": np.broadcast_to(np.where(np.arange(WINDOWS) < WINDOWS - 1, 0.95, 0.2), (2, len(RATIOS), WINDOWS)),
            "layers/0": np.ones((2, 5, 2)) * [[[1.0]], [[3.0]]],
            "removed_at/conv1.weight": np.array([[255, 1], [255, 0]], np.uint8),
            "val_accuracy": np.array([[0.5], [0.6]]), "test_accuracy": np.array([[0.4], [0.5]]),
        }  # fmt: skip

    def __getitem__(self, name):
        return self.arrays[name]

    def names(self):
        return list(self.arrays)


@pytest.fixture
def runs():
    return [Known(0), Known(1, 1.5)]


def test_what_doubles_at_every_time_grows_by_that_many_doublings(runs):
    panels = utility.over_training(runs)
    for name in ("imbalance", "mean utility", "smallest utility"):
        assert utility.grown(panels, name) == pytest.approx([2, 2])
        assert utility.grown(panels, name, since=0) == pytest.approx([3, 3])
        assert utility.grown(panels, name, (0.1,)) == pytest.approx([2, 2])
    assert panels["accuracy"]["none"]["value"] == pytest.approx(0.95)
    assert list(panels["accuracy"]) == ["1 %", "5 %", "7.5 %", "10 %", "15 %", "25 %", "none"]
    assert panels["imbalance"]["1 %"]["epoch"] == pytest.approx(np.arange(4) * 2 * 20 / 100)


def test_statistics_are_those_over_sets(runs):
    sets = utility.worth(runs[0])
    panels = utility.over_training(runs)
    assert panels["imbalance"]["10 %"]["value"][0, -1] == pytest.approx(np.std(sets[3], ddof=1))
    assert panels["smallest utility"]["10 %"]["value"][0, -1] == pytest.approx(sets[3].min())


def test_sizes_are_compared_in_doublings_by_share_and_by_number():
    groups = {"1×": [Known(0)], "0.5×": [Known(0, 1.0, 0.5)]}
    for base, expected in (("share", 0), ("number", 1)):
        panels = utility.compared(groups, {name: (name, 0, base) for name in groups})
        assert utility.doublings(panels, "mean utility", "0.5×", "1×") == pytest.approx([expected])
        assert utility.unlike(panels, "mean utility", "1×", "0.5×") == pytest.approx([expected])
    assert np.array_equal(utility.worth(groups["1×"][0], base="number"), utility.worth(groups["1×"][0]))


def test_the_same_sets_rank_alike_and_shuffled_ones_do_not(runs):
    assert utility.same_sets(runs, runs) == pytest.approx([1, 1])
    other = Known(0)
    other.arrays["utility/1"] = other.arrays["utility/1"][:, :, :, ::-1]
    assert abs(utility.same_sets([Known(0)], [other])[0]) < 0.5


def test_errors_are_of_the_images_of_the_sets_and_of_the_seeds(runs):
    found = utility.errors(runs)["mean utility"]
    assert found["images"]["value"] == pytest.approx(0.1)
    own = utility.worth(runs[0])[0]
    assert found["sets"]["value"] == pytest.approx(own.std() / own.mean() / SETS**0.5, rel=0.25)
    assert found["seeds"]["value"] == pytest.approx(np.std([1, 1.5], ddof=1) / 1.25)


def test_windows_and_ablations_lose_what_they_lose(runs):
    windows = utility.windows(runs)
    title = "rank in the layer"
    assert utility.points_lost(runs, windows, title, 0.1, 0, 0.5) == pytest.approx([0, 0])
    assert utility.points_lost(runs, windows, title, 0.1, 0.94, 1) == pytest.approx([75, 75])
    assert windows[title]["10 %"]["rank"][[0, -1]] == pytest.approx([0.05, 0.95])
    sets = utility.ablations(runs)
    assert (sets["highest"] - sets["lowest"])[:, 1:] == pytest.approx(0.1) and sets["ratio"][0] == 0


def test_layers_and_networks_are_named_with_what_they_are(runs):
    assert utility.layer_worth(runs) == {"conv1": pytest.approx([1, 1]), "output": pytest.approx([3, 3])}
    assert learning.trained({"a": runs})[0] == ["a", "75.0 %", "95.0 %", "40.0 %", "0.100"]
    assert learning.trained({"a": runs}, level=1)[0] == ["a", "50.0 %", "90.0 %", "50.0 %", "0.200"]
    assert learning.tested(runs) == pytest.approx([50, 50])
    row = ["a", "50.0 ± 0.0 %", "50.0 %", "0.200 ± 0.000", "0.200"]
    assert learning.beside_small({"a": runs, "b": runs[:1]}, {"a": "b"}) == [row]
    assert len(row) == 1 + len(learning.BESIDE_HEAD)


@pytest.mark.parametrize("count", [1, 2])
def test_figures_are_drawn_of_one_and_of_more_runs(runs, count):
    some = runs[:count]
    table = {"sets": utility.ablations(some)} | utility.windows(some)
    assert len(figures.utility.taken_out(table).axes) == 3
    which = {"a": ("a", 0, "share"), "b": ("a", 1, "share")}
    assert len(figures.utility.spectra(utility.spectra({"a": some}, which)).axes) == 6
    assert len(figures.utility.bars(utility.layer_worth(some), "nats", null=1).axes) == 1
    panels = utility.over_training(some)
    figure = figures.methods.panels(
        panels, y="value", label="nats", x="epoch", columns=2, ordered=True, logy=True, sharey=False
    )
    assert figure.axes[0].get_yscale() == "log"
