"""Tables of a run whose masks are known."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from sifting import config, figures, tables
from sifting.history import History

SIZE, UNITS, LEVELS = (3, 8, 8), 20, 4


class Known(History):
    """A run with blocks as masks: unit j keeps a square that shrinks from level to level."""

    def __init__(self, seed=0, name="known"):
        draw = np.random.default_rng(seed)
        self.config, self.kind, self.key = (
            dataclasses.replace(config.preset("smoke"), seed=seed),
            "ticket",
            name,
        )
        self.arrays = {"shape": np.array(SIZE)}
        first = np.full((UNITS, *SIZE), 1, np.uint8)
        for unit in range(UNITS):
            y, x = draw.integers(0, 4, 2)
            for level, side in ((2, 6), (3, 5), (4, 4), (255, 3)):
                first[unit, :, y : y + side, x : x + side] = level
        self.arrays["removed_at/linear.0.weight"] = first.reshape(UNITS, -1)
        self.arrays["removed_at/linear.1.weight"] = np.where(draw.random((10, UNITS)) < 0.3, 255, 2).astype(
            np.uint8
        )
        curve = np.array([[0.1, 0.2], [0.2, 0.3], [0.5, 0.4], [0.2, 0.3], [0.1, 0.1]], np.float32)
        self.arrays |= {"val_accuracy": curve, "test_accuracy": curve - 0.05, "train_accuracy": curve}

    def __getitem__(self, name):
        return self.arrays[name]

    def names(self):
        return list(self.arrays)


@pytest.fixture
def runs():
    return [Known(0), Known(1)]


def test_accuracy_takes_the_best_step_on_validation_and_reads_test_there(runs):
    table = tables.accuracy(runs)
    assert table["best"][0].tolist() == pytest.approx([0.2, 0.3, 0.5, 0.3, 0.1])
    assert table["last"][0].tolist() == pytest.approx([0.2, 0.3, 0.4, 0.3, 0.1])
    assert table["test"][0].tolist() == pytest.approx([0.15, 0.25, 0.45, 0.25, 0.05])
    assert table["peak"].tolist() == [2, 2]
    assert table["gain"] == pytest.approx([0.3, 0.3]) and table["fall"] == pytest.approx([-0.4, -0.4])


def test_shown_levels_are_half_three_quarters_and_all_of_the_way(runs):
    assert runs[0].shown == [2, 3, 4]
    assert tables.near(runs[0], runs[0].density(3, 1)) == 3


def test_in_degree_counts_all_runs(runs):
    table = tables.in_degree(runs, [2, 4])
    assert len(table["degrees"][0]) == 2 * UNITS and (table["degrees"][1] == 27).all()
    assert table["excess"][:, 1] == pytest.approx([0, 0]), "equal degrees have no variance"
    counts, expected = table["expected"][1]
    assert counts[-1] == 28 and expected[27] == pytest.approx(2 * UNITS * stats.binom.pmf(27, 192, 27 / 192))


def test_locality_of_blocks_is_one_and_of_shuffled_masks_none(runs):
    table = tables.locality(runs, [2, 4])
    assert table["localization"] == pytest.approx(np.ones((2, 2)), abs=0.08)
    assert np.abs(table["localization_random"]).max() < 0.1
    assert (table["width"] < table["width_random"]).all()
    assert table["same"].shape == (2, 15, 15) and (table["enrichment"] > 1.3).all()


def test_top_units_and_masks_come_most_connected_first(runs):
    counts = runs[0].mask(1).sum(1)
    order = tables.top_units(runs[0], 1, 5)
    assert (np.diff(counts[order]) <= 0).all() and counts[order[0]] == counts.max()
    shown = tables.masks(runs[0], 4, 5)
    assert shown.shape == (5, *SIZE) and (shown.sum((1, 2, 3)) == 27).all()


def test_out_degree_finds_the_border_that_is_there():
    run = Known()
    frame = np.full((UNITS, *SIZE), 1, np.uint8)
    frame[:, :, 0], frame[:, :, -1], frame[:, :, :, 0], frame[:, :, :, -1] = (255,) * 4
    run.arrays["removed_at/linear.0.weight"] = frame.reshape(UNITS, -1)
    table = tables.out_degree({"frame": run}, run.density(4, 1))
    assert table["border"]["frame"] == pytest.approx(64 / 28) and table["center"]["frame"] == 0
    assert table["uneven"]["frame"] > 5


def test_by_degree_groups_all_units_that_are_alive(runs):
    groups = tables.by_degree({"a": runs[0]}, runs[0].density(2, 1), bins=4)["a"]
    assert sum(group["units"] for group in groups) == UNITS
    assert all(a["high"] <= b["low"] for a, b in zip(groups, groups[1:]))
    total = tables.locality(runs[:1], [tables.near(runs[0], runs[0].density(2, 1))])["same"][0]
    assert np.array_equal(sum(group["same"] for group in groups), total)


def test_units_of_imp_are_narrower_than_random_ones_of_their_size(runs):
    table = tables.unit_widths(runs, 4)
    # 3 x 3 blocks: the mean of dx^2 is 4/3 over all 9 x 9 ordered pairs, and 9 of them are no pairs
    assert table["imp"] == pytest.approx(np.sqrt(4 / 3 * 81 / 72)) and (table["random"] > 2).all()


def test_localization_of_groups_is_that_of_each_run_and_slope_that_of_the_line(runs):
    rows = tables.group_localization(runs, 0.2)
    assert rows.shape == (2, 5) and rows == pytest.approx(np.ones((2, 5)), abs=0.15)
    assert tables.slope(np.array([[1, 3, 5], [3, 2, 1]])) == pytest.approx([2, -1])


def test_reach_grows_with_the_layer(runs):
    table = tables.reach(runs, 4)
    assert (table["inputs"][:, 1] > table["inputs"][:, 0]).all() and table["localization"].shape == (2, 2)


@pytest.mark.parametrize(
    "draw, table",
    [
        (figures.accuracy, lambda r: tables.accuracy(r)),
        (figures.in_degree, lambda r: tables.in_degree(r, [2, 3, 4])),
        (figures.locality, lambda r: tables.locality(r, [2, 4])),
        (figures.localization, tables.localization),
        (figures.pair_correlation, lambda r: tables.pair_correlation(r, [2, 4])),
        (figures.masks, lambda r: tables.masks(r[0], 3, 7)),
        (figures.random_units, lambda r: tables.random_units(r[0], [2, 4])),
        (figures.out_degree, lambda r: tables.out_degree({"a": r[0], "b": r[-1]}, 0.2)),
        (figures.by_degree, lambda r: tables.by_degree({"a": r[0]}, 0.2)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
@pytest.mark.parametrize("count", [1, 2])
def test_every_figure_draws_one_run_or_several_the_same_way_twice(runs, draw, table, count):
    from sifting.page import svg

    texts = {svg(draw(table(runs[:count]))) for _ in range(2)}
    assert len(texts) == 1 and "<svg" in texts.pop()


def test_drawing_computes_nothing(runs):
    table = tables.locality(runs, [2, 4])
    before = {name: np.array(value, copy=True) for name, value in table.items()}
    figures.locality(table)
    assert all(np.array_equal(before[name], table[name], equal_nan=True) for name in before)


def test_measures_agree_with_the_table_of_locality(runs):
    rows = {row["name"]: row for row in tables.measures(runs, [2, 4])}
    local = tables.locality(runs, [2, 4])
    assert rows["localization Λ"]["value"] == pytest.approx(local["localization"].mean(0))
    assert rows["width σx of S(d), pixels"]["seeds"] == pytest.approx(local["width"][..., 0].std(0, ddof=1))
    assert all((row["units"] >= 0).all() for row in rows.values())
    for control in ("random", "shuffled"):
        assert (rows["localization Λ"][control] < 0.3 * rows["localization Λ"]["value"]).all()
    assert np.isnan(tables.measures(runs[:1], [2])[0]["seeds"]).all()
