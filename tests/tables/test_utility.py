"""Tables of what sets of weights are worth, from runs in which that is known."""

import dataclasses

import numpy as np
import pytest

from sifting import config, figures
from sifting.results.axes import BASES, RATIOS, WINDOWS
from sifting.tables import learning, likeness, utility
from tests.known import Known

SETS = 40


class Worth(Known):
    """A run in which a set of a share r is worth r times a number of its own.

    Utility doubles from time to time, and pruning halves it.
    """

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
        without = np.full((2, len(RATIOS), WINDOWS), 0.95)  # the smallest of a layer cost a little
        without[..., -1], without[1, :, 0] = 0.2, 0.92
        self.arrays = {
            "utility/0": np.array(rows), "remaining/0": left, "whole/0": np.full((times, 2), [0.95, 0.1]),
            "times/0": np.arange(times) * 2, "utility/1": np.array(rows)[-1:] / 2, "remaining/1": left[-1:],
            "whole/1": np.full((1, 2), [0.9, 0.2]),
            "windows/0": without,
            "layers/0": np.ones((2, 5, 2)) * [[[1.0]], [[3.0]]],
            "removed_at/conv1.weight": np.array([[255, 1], [255, 0]], np.uint8),
            "val_accuracy": np.array([[0.5], [0.6]]), "test_accuracy": np.array([[0.4], [0.5]]),
        }  # fmt: skip


@pytest.fixture
def runs():
    return [Worth(0), Worth(1, 1.5)]


def test_what_doubles_at_every_time_grows_by_that_many_doublings(runs):
    panels = utility.over_training(runs)
    assert list(panels) == ["imbalance", "mean utility", "smallest utility"] == list(utility.grown(panels))
    for name in panels:
        assert utility.grown(panels)[name] == pytest.approx([2, 2])
        assert utility.grown(panels, since=0)[name] == pytest.approx([3, 3])
        assert utility.grown(panels, 0.1)[name] == pytest.approx([2, 2])
    assert panels["imbalance"]["1 %"]["epoch"] == pytest.approx(np.arange(4) * 2 * 20 / 100)


def test_long_training_grows_from_where_the_usual_one_was():
    short, long = (utility.over_training([Worth(times=times)]) for times in (4, 6))
    assert utility.grown(long)["imbalance"] == pytest.approx([4])
    for lines in long.values():  # snapshots are farther apart in it
        for line in lines.values():
            line["value"] = line["value"][:, ::2]
    assert utility.grown(long)["imbalance"] == pytest.approx([2]), "from its own first snapshot"
    assert utility.grown(long, before=short)["imbalance"] == pytest.approx([3]), "from that of the short one"
    assert utility.growth_rows(short, long)[0] == ["imbalance", "3.00", "2.00", "4.00", "3.00"]


def test_growth_is_the_mean_over_the_shares_that_are_asked_for():
    run, place = Worth(), RATIOS.index(0.25)
    run.arrays["utility/0"][-1, :, place] *= 2  # one doubling more
    panels = utility.over_training([run])
    assert utility.grown(panels, 0.25)["mean utility"] == pytest.approx(3)
    assert utility.grown(panels, 0.1, 0.25)["mean utility"] == pytest.approx(2.5)
    assert utility.grown(panels)["mean utility"] == pytest.approx(2 + 1 / len(RATIOS))


def test_panels_by_share_and_without_the_start_show_the_same_numbers(runs):
    panels = utility.over_training(runs)
    assert utility.by_ratio(panels)["10 %"]["imbalance"] is panels["imbalance"]["10 %"]
    later = utility.since_start(panels)["imbalance"]["10 %"]
    assert np.array_equal(later["value"], panels["imbalance"]["10 %"]["value"][:, 1:])
    assert later["epoch"][0] == panels["imbalance"]["10 %"]["epoch"][1]


def test_accuracy_over_the_training_is_that_of_all_weights_and_the_mean_over_sets(runs):
    lines = utility.accuracy_over_training(runs)
    assert lines["none"]["value"] == pytest.approx(0.95)
    assert list(lines) == ["1 %", "5 %", "7.5 %", "10 %", "15 %", "25 %", "none"]
    assert lines["10 %"]["value"] == pytest.approx(0.9 - 0.1 - 0.1 / 2)  # half of the sets lose a tenth more


def test_statistics_are_those_over_sets(runs):
    sets = utility.worth(runs[0])
    panels = utility.over_training(runs)
    assert panels["imbalance"]["10 %"]["value"][0, -1] == pytest.approx(np.std(sets[3], ddof=1))
    assert panels["smallest utility"]["10 %"]["value"][0, -1] == pytest.approx(sets[3].min())


def test_the_imbalance_of_one_set_is_unknown():
    assert np.isnan(utility.imbalance(np.ones((6, 1)))).all()
    assert utility.imbalance(np.array([[1.0, 3.0]])) == pytest.approx([2**0.5])


def test_sizes_are_compared_in_doublings_by_share_and_by_number():
    groups = {"1×": [Worth(0)], "0.5×": [Worth(0, 1.0, 0.5)]}
    for base, expected in (("share", 0), ("number", 1)):
        lines = likeness.compared(groups, {name: (name, 0, base) for name in groups})["mean utility"]
        found = likeness.logarithms(lines)
        assert found["0.5×"] - found["1×"] == pytest.approx([expected])
        assert likeness.unlike(lines, "0.5×")["1×"] == pytest.approx([expected])
    assert np.array_equal(utility.worth(groups["1×"][0], base="number"), utility.worth(groups["1×"][0]))


def test_distances_are_means_over_the_shares_up_to_the_largest_that_is_asked_for():
    value = 2.0 ** np.arange(len(RATIOS))[None]
    lines = {"a": utility.against_share(value), "b": utility.against_share(np.ones_like(value))}
    lines["c"] = utility.against_share(np.where(np.array(RATIOS) < 0.25, 1 / value, np.nan))
    assert likeness.logarithms(lines, 0.1)["a"] == pytest.approx(1.5)  # of 0, 1, 2 and 3
    assert likeness.unlike(lines, "b")["c"] == pytest.approx(2)  # without a quarter, which is unknown
    relative = likeness.relative({"mean utility": lines}, ("mean utility",), "b")["mean utility"]
    assert list(relative) == ["a", "c"]
    assert relative["a"]["value"] == pytest.approx(np.arange(len(RATIOS))[None])


def test_networks_are_compared_before_pruning_and_after_it_and_with_a_stranger(runs):
    panels = likeness.compared({"half": runs, "small": runs[::-1]}, likeness.stages("half", "small"))
    lines = panels["mean utility"]
    found = likeness.logarithms(lines)
    assert found["retrained"] - found["pretrained"] == pytest.approx([-1, -1])  # pruning halves
    assert likeness.unlike(lines, "retrained")["small"] == pytest.approx(np.log2([1.5, 1.5]))
    strange = likeness.strangers(runs)["mean utility"]
    assert np.array_equal(strange["pretrained"]["value"], lines["pretrained"]["value"][::-1])
    assert np.array_equal(strange["retrained"]["value"], lines["retrained"]["value"])
    assert panels["accuracy"]["pretrained"]["value"] == pytest.approx(0.85 - np.tile(RATIOS, (2, 1)))


def test_the_same_sets_rank_alike_and_shuffled_ones_do_not(runs):
    assert likeness.same_sets(runs, runs) == pytest.approx([1, 1])
    other = Worth(0)
    other.arrays["utility/1"] = other.arrays["utility/1"][:, :, :, ::-1]
    assert abs(likeness.same_sets([Worth(0)], [other])[0]) < 0.5


def test_errors_are_of_the_images_of_the_sets_and_of_the_seeds(runs):
    found = utility.errors(runs)["mean utility"]
    assert found["images"]["value"] == pytest.approx(0.1)
    own = utility.worth(runs[0])[0]
    assert found["sets"]["value"] == pytest.approx(own.std() / own.mean() / SETS**0.5, rel=0.25)
    assert found["seeds"]["value"] == pytest.approx(np.std([1, 1.5], ddof=1) / 1.25)


def test_windows_and_ablations_lose_what_they_lose(runs):
    lost = utility.tenth_lost(runs)
    assert lost["largest"] == pytest.approx([75, 75])
    assert lost["smaller half"] == pytest.approx([0, 0])
    assert lost["smaller half of layers"] == pytest.approx([3 / 7] * 2)  # one of the seven windows in it
    assert lost["costly"] == pytest.approx([3, 3])
    assert lost["between sets"] == pytest.approx([10, 10])
    line = utility.windows(runs)["rank in the layer"]["10 %"]
    assert line["rank"][[0, -1]] == pytest.approx([0.05, 0.95])
    sets = utility.ablations(runs)
    assert (sets["highest"] - sets["lowest"])[:, 1:] == pytest.approx(0.1) and sets["ratio"][0] == 0


def test_a_tenth_costs_what_is_lost_on_average(runs):
    assert utility.without_a_tenth(runs) == pytest.approx([20, 20])  # 0.95 to 0.75


@pytest.mark.parametrize(
    "count, expected", [(2, 2 / np.pi**0.5), (3, 3 / np.pi**0.5), (60, 4.639), (500, 6.073)]
)
def test_the_range_grows_with_the_number_of_sets(count, expected):
    assert utility.expected_range(count) == pytest.approx(expected, rel=2e-4)


def test_a_range_is_told_as_it_would_be_of_as_many_sets_as_the_paper_has(runs):
    lost = utility.tenth_lost(runs)
    more = utility.expected_range(utility.PAPER_SETS) / utility.expected_range(SETS)
    assert lost["of as many as the paper"] == pytest.approx(more * lost["between sets"])


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
    taken_out = {"sets": utility.ablations(some)} | utility.windows(some)
    assert len(figures.utility.taken_out(taken_out).axes) == 3
    which = {"a": ("a", 0, "share"), "b": ("a", 1, "share")}
    assert len(figures.utility.spectra(utility.spectra({"a": some}, which)).axes) == 6
    assert len(figures.utility.bars(utility.layer_worth(some), "nats", null=1).axes) == 1
    panels = utility.over_training(some)
    figure = figures.methods.panels(
        panels, y="value", label="nats", x="epoch", columns=2, ordered=True, logy=True, sharey=False
    )
    assert figure.axes[0].get_yscale() == "log"
