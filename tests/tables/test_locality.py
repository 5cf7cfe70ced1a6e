"""Tables of a run whose masks are known."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from sifting import config, figures, observables, store
from sifting.figures import values
from sifting.tables import (
    basics,
    chance,
    conditions,
    connectivity,
    gaussianity,
    learning,
    locality,
    pictures,
    units,
    words,
)
from tests.known import Known

SIZE, UNITS, LEVELS = (3, 8, 8), 20, 4


class Blocks(Known):
    """A run with blocks as masks: unit j keeps a square that shrinks from level to level."""

    def __init__(self, seed=0, name="known"):
        draw = np.random.default_rng(seed)
        self.config = dataclasses.replace(config.preset("smoke"), seed=seed)
        self.kind, self.key = "ticket", name
        self.arrays = {"shape": np.array(SIZE)}
        first = np.full((UNITS, *SIZE), 1, np.uint8)
        for unit in range(UNITS):
            y, x = draw.integers(0, 4, 2)
            for level, side in ((2, 6), (3, 5), (4, 4), (255, 3)):
                first[unit, :, y : y + side, x : x + side] = level
        second = np.where(draw.random((10, UNITS)) < 0.3, 255, 2).astype(np.uint8)
        self.arrays["removed_at/linear.0.weight"] = first.reshape(UNITS, -1)
        self.arrays["removed_at/linear.1.weight"] = second
        curve = np.array([[0.1, 0.2], [0.2, 0.3], [0.5, 0.4], [0.2, 0.3], [0.1, 0.1]], np.float32)
        self.arrays |= {"val_accuracy": curve, "test_accuracy": curve - 0.05, "train_accuracy": curve}


@pytest.fixture
def runs():
    return [Blocks(0), Blocks(1)]


def test_accuracy_takes_the_best_step_on_validation_and_reads_test_there(runs):
    table = learning.accuracy(runs)
    assert table["best"][0].tolist() == pytest.approx([0.2, 0.3, 0.5, 0.3, 0.1])
    assert table["last"][0].tolist() == pytest.approx([0.2, 0.3, 0.4, 0.3, 0.1])
    assert table["test"][0].tolist() == pytest.approx([0.15, 0.25, 0.45, 0.25, 0.05])
    assert table["peak"].tolist() == [2, 2]
    assert table["gain"] == pytest.approx([0.3, 0.3]) and table["fall"] == pytest.approx([-0.4, -0.4])


def test_shown_levels_are_half_three_quarters_and_all_of_the_way(runs):
    assert runs[0].shown == [2, 3, 4]
    assert basics.level_near(runs[0], runs[0].density(3, 1)) == 3


def test_in_degree_counts_all_runs(runs):
    table = connectivity.in_degree(runs, [2, 4])
    assert len(table["degrees"][0]) == 2 * UNITS and (table["degrees"][1] == 27).all()
    assert table["tail"][:, 1].tolist() == [0, 0], "equal degrees have no tail"
    counts, expected = table["expected"][1]
    assert counts[-1] == 28 and expected[27] == pytest.approx(2 * UNITS * stats.binom.pmf(27, 192, 27 / 192))


def test_locality_of_blocks_is_one_and_of_shuffled_masks_none(runs):
    table = locality.locality(runs, [2, 4])
    assert table["localization"] == pytest.approx(np.ones((2, 2)), abs=0.08)
    assert np.abs(table["localization_random"]).max() < 0.1
    assert (table["width"] < table["width_random"]).all()
    assert table["same"].shape == (2, 15, 15) and (table["enrichment"] > 1.3).all()


def test_top_units_and_masks_come_most_connected_first(runs):
    counts = runs[0].mask(1).sum(1)
    order = basics.top_units(runs[0], 1, 5)
    assert (np.diff(counts[order]) <= 0).all() and counts[order[0]] == counts.max()
    shown = pictures.masks(runs[0], 4, 5)
    assert shown.shape == (5, *SIZE) and (shown.sum((1, 2, 3)) == 27).all()


def test_out_degree_finds_the_border_that_is_there():
    run = Blocks()
    frame = np.full((UNITS, *SIZE), 1, np.uint8)
    frame[:, :, 0], frame[:, :, -1], frame[:, :, :, 0], frame[:, :, :, -1] = (255,) * 4
    run.arrays["removed_at/linear.0.weight"] = frame.reshape(UNITS, -1)
    table = connectivity.out_degree({"frame": run}, run.density(4, 1))
    assert table["border"]["frame"] == pytest.approx(64 / 28) and table["center"]["frame"] == 0
    assert table["uneven"]["frame"] > 5
    found = connectivity.evenness([run, run], run.density(4, 1))
    assert {name: list(found[name]) for name in found} == {
        name: [table[name]["frame"]] * 2 for name in ("border", "center", "uneven")
    }


def test_by_degree_groups_all_units_that_are_alive(runs):
    groups = locality.by_degree({"a": runs[0]}, runs[0].density(2, 1), bins=4)["a"]
    assert sum(group["units"] for group in groups) == UNITS
    assert all(a["high"] <= b["low"] for a, b in zip(groups, groups[1:]))
    total = locality.locality(runs[:1], [basics.level_near(runs[0], runs[0].density(2, 1))])["same"][0]
    assert np.array_equal(sum(group["same"] for group in groups), total)


def test_units_of_imp_are_narrower_than_random_ones_of_their_size(runs):
    table = locality.unit_widths(runs, 4)
    # 3 x 3 blocks: the mean of dx^2 is 4/3 over all 9 x 9 ordered pairs, and 9 of them are no pairs
    assert table["imp"] == pytest.approx(np.sqrt(4 / 3 * 81 / 72)) and (table["random"] > 2).all()


def test_localization_of_groups_is_that_of_each_run_and_slope_that_of_the_line(runs):
    rows = locality.group_localization(runs, 0.2)
    assert rows.shape == (2, 5) and rows == pytest.approx(np.ones((2, 5)), abs=0.15)
    assert locality.slope(np.array([[1, 3, 5], [3, 2, 1]])) == pytest.approx([2, -1])


def test_shares_spreads_and_places_in_words(runs):
    assert connectivity.top_share(np.array([1] * 9 + [11])) == pytest.approx(0.55)
    assert words.spread(np.array([-0.002, 0.01])) == "−0.2 to +1.0"
    assert words.spread(np.array([0.01])) == "+1.0"
    named = {"a": runs[0]}
    [row] = connectivity.places(named, connectivity.out_degree(named, 0.2))
    assert row[:2] == ["a", "+30.0"] and len(row) == 1 + len(connectivity.PLACES_HEAD)
    assert np.isnan(locality.slope(np.ones((2, 1)))).all()


@pytest.mark.parametrize(
    "said, expected",
    [
        (words.number(-1.25, 1), "−1.2"),
        (words.number(-0.01, 1), "0.0"),
        (words.number(0.01, 1, sign=True), "+0.0"),
        (words.number(np.nan), "–"),
        (words.percent(0.075), "7.5 %"),
        (words.share(0.0138), "1.4 %"),
        (words.share(1.0), "100 %"),
        (words.around(np.array([-1.0, -2.0]), digits=2, unit=" points"), "−1.50 ± 0.71 points"),
        (words.around(np.array([0.5]), 100, 0, " %"), "50 %"),
    ],
)
def test_numbers_in_words(said, expected):
    assert said == expected


def test_a_table_in_words():
    assert words.rows([("a", 1200, "b"), ("c", 7, "d")]) == [["a", "1,200", "b"], ["c", "7", "d"]]


def test_the_mean_leaves_out_what_is_not_there_and_stacked_keeps_runs_and_levels_apart(runs):
    assert basics.mean(np.array([1, np.nan, 3])) == 2 and np.isnan(basics.mean(np.array([np.nan])))
    rows = [[{"at": (run, level)} for level in range(3)] for run in range(2)]
    assert basics.stacked(rows)["at"].shape == (2, 3, 2) and basics.stacked(rows)["at"][1, 2].tolist() == [
        1,
        2,
    ]
    assert basics.pooled({"a": runs, "b": runs[:1]}) == [*runs, runs[0]]


def test_reach_grows_with_the_layer(runs):
    table = locality.reach(runs, 4)
    assert (table["inputs"][:, 1] > table["inputs"][:, 0]).all() and table["localization"].shape == (2, 2)


@pytest.mark.parametrize(
    "draw, table",
    [
        (figures.curves.accuracy, lambda r: learning.accuracy(r)),
        (figures.curves.in_degree, lambda r: connectivity.in_degree(r, [2, 3, 4])),
        (figures.maps.locality, lambda r: locality.locality(r, [2, 4])),
        (figures.locality.localization, locality.localization),
        (figures.locality.pair_correlation, lambda r: locality.pair_correlation(r, [2, 4])),
        (figures.maps.masks, lambda r: pictures.masks(r[0], 3, 7)),
        (figures.maps.random_units, lambda r: pictures.random_units(r[0], [2, 4])),
        (figures.maps.out_degree, lambda r: connectivity.out_degree({"a": r[0], "b": r[-1]}, 0.2)),
        (figures.maps.by_degree, lambda r: locality.by_degree({"a": r[0]}, 0.2)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
@pytest.mark.parametrize("count", [1, 2])
def test_every_figure_draws_one_run_or_several_the_same_way_twice(runs, draw, table, count):
    from sifting.publish.markup import svg

    texts = {svg(draw(table(runs[:count]))) for _ in range(2)}
    assert len(texts) == 1 and "<svg" in texts.pop()


def test_drawing_computes_nothing(runs):
    table = locality.locality(runs, [2, 4])
    before = {name: np.array(value, copy=True) for name, value in table.items()}
    figures.maps.locality(table)
    assert all(np.array_equal(before[name], table[name], equal_nan=True) for name in before)


def test_measures_agree_with_the_table_of_locality(runs):
    rows = {row["name"]: row for row in locality.measures(runs, [2, 4])}
    local = locality.locality(runs, [2, 4])
    assert rows["localization Λ"]["value"] == pytest.approx(local["localization"].mean(0))
    assert rows["width σx of S(d), pixels"]["seeds"] == pytest.approx(local["width"][..., 0].std(0, ddof=1))
    assert all((row["units"] >= 0).all() for row in rows.values())
    for control in ("random", "shuffled"):
        assert (rows["localization Λ"][control] < 0.3 * rows["localization Λ"]["value"]).all()
    assert np.isnan(locality.measures(runs[:1], [2])[0]["seeds"]).all()


# --- conditions beside each other


def test_compare_has_the_rows_of_every_condition(runs):
    table = conditions.compare({"blocks": runs, "one": runs[:1]})
    rows = table["blocks"]
    assert rows["density"] == pytest.approx(
        [np.mean([run.density(n) for run in runs]) for n in range(LEVELS + 1)]
    )
    assert rows["layers"].shape == (LEVELS + 1, 2) and rows["test"].shape == (2, LEVELS + 1)
    assert rows["gain"][:, 2] == pytest.approx([0.3, 0.3]) and np.isnan(rows["localization"][:, 0]).all()
    assert rows["localization"][:, 4] == pytest.approx(np.ones(2), abs=0.08) and not rows["dead"].any()
    assert table["one"]["test"].shape == (1, LEVELS + 1)
    at = conditions.at_density(table, runs[0].density(3))["blocks"]
    assert at["level"] == 3 and np.array_equal(at["localization"], rows["localization"][:, 3])
    [row] = conditions.summary({"blocks": at})
    assert row[0] == "blocks" and row[4::2] == ["25.0 ± 0.0 %", "100 ± 0 %"]
    assert len(row) == 1 + len(conditions.SUMMARY_HEAD)


def test_a_difference_of_conditions_is_that_of_every_number_of_them(runs):
    at = conditions.at_density(conditions.compare({"a": runs, "b": runs[::-1]}), 0.2)
    apart = conditions.difference(at, "a", "b")
    assert apart["localization"] == pytest.approx(at["a"]["localization"] - at["a"]["localization"][::-1])
    assert apart["layers"].tolist() == [0, 0] and apart["level"] == 0


def test_the_best_level_is_that_of_the_highest_validation_accuracy(runs):
    assert learning.best_level(runs) == 2 and learning.best_level([Early()]) == 0


@pytest.mark.parametrize(
    ("looks", "grown"), [([1, 2, 4, 8], 4), ([0, 0, 0, 0, 0, 3, 4, 5], 2), ([3, 9], 0), ([3], 0)]
)
def test_what_is_learned_late_is_learned_in_the_last_quarter(runs, looks, grown):
    """Of one or two looks the last ones count, which is none."""
    runs[0].arrays["val_accuracy"] = np.array([looks, looks]) / 100
    assert learning.late(runs[:1]) == pytest.approx([grown])


def test_accuracy_peaks_where_a_parabola_does(runs):
    x = np.log2(learning.accuracy(runs)["density"])
    for run, top, sign in zip(runs, (-1.5, -1), (1, -1)):
        run.arrays["val_accuracy"] = 0.5 - sign * 0.05 * (x - top)[:, None] ** 2
    found = learning.peak_density(runs)
    assert found[0] == pytest.approx(-1.5) and np.isnan(found[1]), "a valley has no peak"


def test_conditions_with_one_dense_network_count_once_and_the_usual_ones_stand_beside_the_others(runs):
    moved = Blocks(2)
    moved.arrays["val_accuracy"] = runs[0]["val_accuracy"] + np.float32(0.01)
    moved.arrays["test_accuracy"] = runs[0]["test_accuracy"] * np.float32(0.5)
    groups = {"usual": runs, "same": runs[:1], "moved": [moved]}
    assert learning.largest_gains(groups) == pytest.approx([30, 15])
    beside = learning.best_beside(groups)
    assert beside["values"] == pytest.approx([45, 22.5]) and beside["against"] == pytest.approx([45, 45])


def test_what_a_dense_network_has_that_trains_longer_is_said_beside_the_tickets(runs):
    said = learning.effort(runs, runs[0])
    assert "45.0 to 45.0 %" in said and "each level" in said
    assert learning.passes(config.preset("laptop")) == "each training image 0.6 times"
    assert "settings" in learning.passes(config.preset("laptop", {"dataset": "digits"}))


class Early(Blocks):
    """A run that pruning only harms."""

    def __init__(self):
        super().__init__()
        self.arrays["val_accuracy"] = np.array([[0.5], [0.4], [0.3], [0.2], [0.1]], np.float32)
        self.arrays["test_accuracy"] = self.arrays["train_accuracy"] = self.arrays["val_accuracy"]


def test_gains_are_those_of_the_accuracy_table(runs):
    found = learning.gains({"a": runs, "b": runs})
    assert found["a"]["best"] - found["a"]["dense"] == pytest.approx(learning.accuracy(runs)["gain"])
    assert basics.column(found, "gain") == pytest.approx(np.full((2, 2), 0.3))


def test_portraits_sum_over_runs(runs):
    found = conditions.portraits({"a": runs}, runs[0].density(4), masks=3)["a"]
    expected = locality.locality(runs, [4])["same"][0]
    assert np.array_equal(found["same"], expected) and found["masks"].shape == (3, *SIZE)
    assert len(found["degrees"]) == 2 * UNITS and (found["masks"].sum((1, 2, 3)) == 27).all()
    assert found["localization"] == pytest.approx(np.ones(2), abs=0.08)


def test_the_same_units_are_shown_for_every_method(runs):
    dense = np.random.default_rng(5).normal(size=(UNITS, 192))
    runs[0].weights = lambda level, layer=1: dense
    methods = {"a": runs, "b": runs[::-1]}
    table = conditions.same_units(runs[0], methods, {"a": [0.2, 0.1], "b": [0.2]}, count=4)
    assert table["labels"] == ["dense weights", "a, 20 %", "a, 10 %", "b, 20 %"]
    assert table["pictures"].shape == (4, 4, *SIZE)
    level = conditions.at_density(conditions.compare({"a": runs}), 0.2)["a"]["level"]
    assert np.array_equal(table["pictures"][1], runs[0].mask(level)[table["units"]].reshape(4, *SIZE))
    assert table["accuracy"][0] == pytest.approx(0.15)
    unit = dense[table["units"][0]]
    assert table["pictures"][0, 0].ravel() == pytest.approx(0.5 + 0.5 * unit / np.abs(unit).max())


@pytest.mark.parametrize("count", [1, 2])
def test_figures_of_conditions_draw(runs, count):
    groups = {"a": runs[:count], "b": runs[:count], "c": runs[:count]}
    figures.curves.compare(conditions.compare(groups), panels=("test", "gain", "excess"))
    figures.curves.gains(learning.gains(groups))
    figures.maps.portraits(conditions.portraits(groups, 0.2, 7))
    figures.maps.portraits(conditions.portraits(groups, 0.2), columns=2)
    figures.curves.learning(learning.curves(groups))


def test_learning_takes_the_dense_and_the_best_level(runs):
    curves = learning.curves({"a": runs})["a"]
    assert curves["val"] == pytest.approx(np.array([[0.1, 0.2], [0.5, 0.4]])) and len(curves["steps"]) == 2
    assert curves["steps"][-1] == runs[0].config.steps


def test_conclusions_and_the_least_local_condition(runs):
    rows = conditions.conclusions({"a": runs, "b": runs[:1]}, 0.2)
    assert [row[0] for row in rows] == ["a", "b"] and rows[0][1:4] == ["+30.0", "+30.0", "+20.0"]
    assert len(rows[0]) == 1 + len(conditions.CONCLUSIONS_HEAD)
    draw, noise = np.random.default_rng(1), Blocks(3)
    noise.arrays["removed_at/linear.0.weight"] = draw.choice([2, 3, 255], (UNITS, 192)).astype(np.uint8)
    full = chance.beyond(runs, 0.3)
    found = chance.least_of_all({"a": runs, "noise": [noise]}, full, 0.3)
    assert found["values"] < 20 < 60 < chance.least_of_all({"a": runs}, full, 0.3)["values"]
    assert found["error"] > 0


def test_a_run_that_ends_at_its_dense_network_has_tables_of_that(results):
    settings = config.preset("smoke", prune_fraction=0.999, steps=6, rewind_step=1, evaluations=1)
    runs = store.load_or_run("masks", [settings])
    found, drawn = learning.accuracy(runs), locality.localization(runs)
    assert runs[0].levels == 0 and found["density"] == 1
    assert found["peak"] == found["gain"] == found["fall"] == 0
    assert drawn["levels"] == [0] and drawn["localization"].shape == (1, 1)
    assert learning.curves({"": runs})[""]["val"].shape == (2, 1)


# --- removed units


def test_units_are_also_counted_by_the_weights_that_go_with_them(runs):
    degrees = runs[0].mask(4).sum(1)
    assert (degrees == degrees[0]).all(), "so that both sides are one"
    removed, curve = np.array([0, 5, 10, 20]), np.array([1, 0.5, 0.25, 0.0])
    anatomy = {"levels": np.array([4]), "removed": removed, "ablation": np.array([[curve] * 3])}
    found = units.ablation(runs[:1], [anatomy], 4)
    assert found["by_weights"][0, 0] == pytest.approx(np.interp(units.WEIGHTS, removed / 20, curve))
    assert found["gap"] == found["gap_random"] == found["gap_weights"] == [0]
    unequal = Thin()
    found = units.ablation([unequal], [anatomy], 4)
    assert found["gap_weights"] > 0, "the same curve, but the most connected units are more of the weights"
    figures.curves.ablation(found)


# --- units without a value, and chance


class Thin(Blocks):
    """A run whose last pruning leaves most units too few inputs to be of any form."""

    def __init__(self, seed=0):
        super().__init__(seed)
        removed = self.arrays["removed_at/linear.0.weight"]
        removed[5:] = np.where(removed[5:] == 255, 4, removed[5:])
        removed[5:, :2] = 255


def test_units_are_compared_where_nearly_all_have_a_value(runs):
    thin = [Thin(0), Thin(1)]
    table = conditions.compare({"blocks": runs, "thin": thin})
    assert table["blocks"]["measured"][:, 1:].tolist() == [[1.0] * 4] * 2
    assert table["thin"]["measured"][:, 3:].tolist() == [[1.0, 0.25]] * 2
    assert np.isnan(table["thin"]["localization"][:, 0]).all()
    assert conditions.sparsest({"thin": table["thin"]}) == table["thin"]["density"][3]
    assert conditions.sparsest({"blocks": table["blocks"]}) == table["blocks"]["density"][4]
    alike = table["thin"] | {"density": table["blocks"]["density"]}
    assert conditions.sparsest({"blocks": table["blocks"], "thin": alike}) == table["blocks"]["density"][3]
    assert conditions.sparsest(table, table["blocks"]["density"][2]) == table["blocks"]["density"][2]
    none = {"none": table["blocks"] | {"measured": np.zeros((2, LEVELS + 1))}}
    assert conditions.sparsest(none) == table["blocks"]["density"][1]
    assert locality.sparsest(locality.localization(thin)) == 3
    assert locality.sparsest(locality.localization(thin) | {"measured": np.zeros((2, LEVELS))}) == 1
    assert basics.fair(np.array([[np.nan, 0.96, 0.95], [1, 0.94, 1]])).tolist() == [False, False, True]


def test_the_share_of_units_stands_under_what_is_a_mean_over_units(runs):
    table = conditions.compare({"a": runs, "b": [Thin(0), Thin(1)]})
    for panels, under in ((("test", "localization"), 1), (("test", "gain"), 0), (("unit_width",), 1)):
        axes = figures.curves.compare(table, panels=panels).axes
        assert len(axes) == len(panels) + under
        assert (axes[-1].get_ylabel() == "units with $\\Lambda$\nand a width") == bool(under)
    hollow = [
        line
        for line in figures.curves.compare(table, panels=("localization",)).axes[0].get_lines()
        if line.get_markerfacecolor() == "white"
    ]
    assert [len(line.get_xdata()) for line in hollow] == [0, 1]


@pytest.mark.parametrize(
    ("panel", "few", "said"), [("localization", True, 1), ("localization", False, 0), ("test", True, 0)]
)
def test_a_caption_says_what_hollow_markers_are_where_there_are_any(runs, panel, few, said):
    table = conditions.compare({"a": [Thin(0), Thin(1)] if few else runs})
    words = values.hollows(figures.curves.compare(table, panels=(panel,)))
    assert words == " Hollow markers: less than 95 % of the units have a value." * said


def test_of_one_run_a_caption_names_no_mean():
    told = "Here. Mean and standard deviation over runs. Dots; mean and standard deviation over runs."
    assert values.of_one(told) == "Here. One run. Dots; one run."
    assert values.of_one("Mean over sets.") == "Mean over sets."


def test_what_is_beyond_chance_is_nothing_for_masks_of_chance_and_all_for_the_full_effect(runs):
    density = runs[0].density(3)
    full = chance.beyond(runs, density)
    assert full.shape == (2, 3) and (full > 0.1).all()
    assert chance.shares(runs, full, density).mean(0) == pytest.approx([1, 1, 1])
    draw, noise = np.random.default_rng(1), Blocks(3)
    noise.arrays["removed_at/linear.0.weight"] = draw.choice([2, 3, 255], (UNITS, 192)).astype(np.uint8)
    found = chance.shares([noise], full, density)
    assert chance.most(found)[0] < 30 < 60 < chance.least(chance.shares(runs, full, density)).min()
    assert chance.least(np.array([[0.5, -0.2, 1]])) == -20 and chance.most(np.array([[0.5, -2, 1]])) == 200


def test_the_chance_of_one_run_has_errors_over_its_units(runs):
    density = runs[0].density(3)
    full = chance.beyond(runs, density)
    values, errors = chance.of_one(runs[0], full, density)
    assert values[0] == pytest.approx(chance.shares(runs[:1], full, density)[0], abs=0.05)
    assert values.shape == errors.shape == (1, 3) and (errors >= 0).all()
    assert chance.of_one(runs[0], full, density, groups=4)[0].shape == (4, 3)
    some = np.array([[0.3, -0.4, 0.1]]), np.array([[1.0, 2.0, 3.0]])
    assert chance.single_most(*some) == {"values": 40, "error": 200}


def test_deeper_layers_and_groups_are_tested_where_nearly_all_have_a_value(runs):
    assert locality.sparsest_reach(runs, 1) == locality.sparsest_reach(runs, 2) == 4
    thin = [Thin(0), Thin(1)]
    assert locality.sparsest_reach(thin, 1) == 3
    assert locality.sparsest_by_degree(dict(enumerate(thin)), 4) == thin[0].density(3, 1)
    assert locality.sparsest_by_degree({"a": runs[0]}, 4) == runs[0].density(4, 1)
    density = runs[0].density(4)
    assert chance.beyond(runs, density, 2).shape == (2, 3)


def test_axes_and_places_in_words(runs):
    [row] = locality.axes_rows(runs, [3])
    assert row[0] == words.share(basics.densities(runs)[3]) and len(row) == 1 + len(locality.DISTANCES)
    assert row[1] == words.around(locality.axes(runs, 3), digits=2) and row[3] == "–", "no 13 pixels in 8"
    rows = connectivity.evenness_rows({"a": connectivity.evenness(runs, 0.2)})
    assert [row[0] for row in rows] == ["a"] and all("±" in cell for cell in rows[0][1:])
    [row] = chance.rows({"a": runs}, chance.beyond(runs, 0.2), 0.2)
    assert [cell.split()[0] for cell in row] == ["a", "100", "100", "100"]


def test_neighbors_are_alike_along_the_grain():
    stripes = np.repeat(np.random.default_rng(0).normal(size=(60, 1, 8, 1)), 8, 3)
    assert gaussianity.neighbor_rows({"rows": stripes}) == [["rows", "1.00", words.number(_rows(stripes), 2)]]


def _rows(images):
    some = images[:10]
    return np.corrcoef(some[..., :-1, :].ravel(), some[..., 1:, :].ravel())[0, 1]


def test_units_without_a_localization_count_as_not_local():
    """As often as the others are measured, of the units that have any input."""
    draw = np.random.default_rng(3)
    mask = draw.random((40, 3 * 64)) < draw.choice([0.0, 0.02, 0.2], (40, 1))
    local = observables.locality.localization(mask, (3, 8, 8))
    share = observables.locality.measured(mask, (3, 8, 8))
    found = basics.counted(local[mask.any(1)])
    assert 0 < share < 1 and found == pytest.approx(share * np.nanmean(local))
    assert np.isnan(basics.counted(np.zeros(0)))
