"""Tickets by the measures of all papers: what is measured at once is what is measured apart; tables, from runs in which everything is known."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from sifting import config, figures, tables
from sifting.probes import gaussianity, portrait, surface, utility
from sifting.pruning import tickets
from sifting.publish import plans
from sifting.results.axes import BASES, LINES, RATIOS, STATISTICS
from sifting.results.history import History

UNITS, SIZE = 24, (1, 6, 6)


class Ticket(History):
    """A run of one pruning: unit j keeps a square of side 2, 3 or 4, is worth `worth[j]`, and is `far[j]` from Gaussian."""

    def __init__(self, worth, far=0.0, seed=0, fall=0.0):
        base = config.preset("smoke", levels=1, seed=seed)
        self.config, self.kind, self.key = (
            dataclasses.replace(base, rewind_step=0),
            "portrait",
            f"known{seed}",
        )
        draw = np.random.default_rng(seed)
        removed = np.ones((UNITS, *SIZE), np.uint8)
        for unit in range(UNITS):
            y, x = draw.integers(0, 3, 2)
            side = 2 + unit % 3
            removed[unit, :, y : y + side, x : x + side] = 255
        after = np.where(np.arange(5)[:, None] <= np.arange(UNITS) % 5, 255, 1).astype(np.uint8)
        sets = np.ones((1, len(BASES), len(RATIOS), 5, 2)) * (1 + seed)
        line = np.full((len(LINES), len(STATISTICS), 5, 2), 0.8)
        line[:, :, 2, 0] -= fall
        self.arrays = {
            "shape": np.array(SIZE), "removed_at/linear.0.weight": removed.reshape(UNITS, -1),
            "removed_at/linear.1.weight": after,
            "units/1": np.stack([worth, worth], 1), "utility/1": sets, "line/1": line,
            "kurtosis/1": np.broadcast_to(3 - np.asarray(far), UNITS),
            "val_accuracy": np.array([[0.5], [0.6]]), "test_accuracy": np.array([[0.4], [0.5]]),
        }  # fmt: skip

    def __getitem__(self, name):
        return self.arrays[name]

    def names(self):
        return list(self.arrays)


@pytest.fixture
def order():
    return np.random.default_rng(1).permutation(UNITS).astype(float)


def test_units_are_those_that_keep_an_input_with_what_is_known_of_them(order):
    run = Ticket(order, far=order / 10)
    run.arrays["removed_at/linear.0.weight"][3] = 1
    found = tables.units(run, 1)
    assert [len(values) for values in found.values()] == [UNITS - 1] * 6
    assert found["outputs"] == pytest.approx(np.delete(np.arange(UNITS) % 5 + 1, 3))
    assert found["worth"] == pytest.approx(np.delete(order, 3))
    assert found["far"] == pytest.approx(np.delete(order, 3) / 10)
    assert found["kurtosis"] == pytest.approx(3 - found["far"])
    assert set(found["inputs"]) == {4, 9, 16}


def test_rank_correlations_are_those_of_scipy_and_nothing_is_left_at_equal_ranks(order):
    found = {"inputs": order, "worth": order**3, "local": -order}
    assert tables.rank(found, "inputs", "worth") == pytest.approx(1)
    noise = np.random.default_rng(2).random(UNITS)
    found = {"a": order + 20 * noise, "b": order, "c": noise}
    assert tables.rank(found, "a", "b") == pytest.approx(stats.spearmanr(found["a"], order).statistic)
    rows = stats.rankdata([found[name] for name in "abc"], axis=1)
    rest = [row - np.polyval(np.polyfit(rows[2], row, 1), rows[2]) for row in rows[:2]]
    assert tables.rank(found, "a", "b", given=("c",)) == pytest.approx(np.corrcoef(*rest)[0, 1])
    found["d"] = np.random.default_rng(3).random(UNITS)
    rows = stats.rankdata([found[name] for name in "abcd"], axis=1)
    others = np.stack([np.ones(UNITS), rows[2], rows[3]], 1)
    rest = [row - others @ np.linalg.lstsq(others, row, rcond=None)[0] for row in rows[:2]]
    assert tables.rank(found, "a", "b", given=("c", "d")) == pytest.approx(np.corrcoef(*rest)[0, 1])
    assert np.isnan(tables.rank({"a": np.ones(9), "b": np.arange(9.0)}, "a", "b"))
    assert np.isnan(tables.rank(found, "a", "b", given=("b",))), "the same ranks"
    assert np.isnan(tables.rank({"a": np.arange(4.0), "b": np.arange(4.0)}, "a", "b"))


def test_ranks_and_barriers_are_found_at_a_density(order):
    runs = [Ticket(order, seed=n, fall=0.1 * n) for n in range(3)]
    worth = tables.ranks({"a": runs}, "worth", "worth")["a"]
    assert worth["value"] == pytest.approx(1) and worth["value"].shape == (3, 1)
    found = tables.steps({"a": runs}, "step")["recomputed"]["a"]
    assert tables.near_density(found, 0.01) == pytest.approx([0, 10, 20])
    [row] = tables.barrier_table({"a": runs}, 0.01)
    assert row[:3] == ["a", "10.0 ± 10.0", "10.0 ± 10.0"] and row[4].endswith(" %")
    for wrong in (tables.at_same_density, tables.means_at):
        with pytest.raises(ValueError, match="unknown share 0.33"):
            wrong({"a": runs}, 0.3, 0.33)
    with pytest.raises(ValueError, match="unknown line 'nope'; choose from step, whole"):
        tables.steps({"a": runs}, "nope")
    with pytest.raises(ValueError, match="accuracy, loss"):
        tables.steps({"a": runs}, "whole", "error")


def test_the_same_tickets_by_all_measures(order):
    groups = {
        name: [Ticket(order, far=order / 10, seed=n, fall=fall) for n in range(2)]
        for name, fall in (("IMP", 0.0), ("one-shot", 0.05), ("random", 0.3))
    }
    found = tables.measured(groups, 0.3)
    assert found["random"]["barrier"] == pytest.approx([30, 30]) and found["IMP"]["barrier"] == pytest.approx(
        0
    )
    assert found["IMP"]["worth"] == pytest.approx([1, 2]) and found["IMP"]["far"] == pytest.approx(
        order.mean() / 10
    )
    kept = Ticket(order).mask(1).mean()
    assert found["one-shot"]["jaccard"] == pytest.approx(1), "the same mask"
    assert found["one-shot"]["chance"] == pytest.approx(kept / (2 - kept), abs=0.01)
    rows = tables.measured_rows(found)
    assert [row[0] for row in rows] == list(groups) and len(rows[0]) == 1 + len(tables.MEASURES)
    along = tables.measured_along(groups)
    barriers = along["barrier from dense (points)"]["random"]
    assert barriers["value"].tolist() == [[barrier] for barrier in found["random"]["barrier"]], "one level"
    assert barriers["density"] == pytest.approx([kept], abs=0.05)
    assert along["test accuracy %"]["IMP"]["value"] == pytest.approx(100 * found["IMP"]["test"][:, None])
    shared = tables.shared_locality(groups, 0.3)
    assert shared["both"] == pytest.approx(shared["IMP"]) and shared[
        "as many of IMP's at random"
    ] == pytest.approx(shared["IMP"])
    assert shared["IMP's next level"] == pytest.approx(shared["IMP"]), "there is no other"


def test_means_and_spectra_of_tickets_are_taken_at_one_density(order):
    groups = {"IMP": [Ticket(order, seed=n) for n in range(2)]}
    assert tables.means_at(groups, 0.3, 0.1)["IMP"] == pytest.approx([1, 2])
    assert sorted(tables.at_same_density(groups, 0.3, 0.1)["IMP"]) == [1] * 5 + [2] * 5
    figure = figures.scatter({"a": tables.units(groups["IMP"][0], 1)}, "inputs", "worth", ("inputs", "nats"))
    assert figure.axes[0].lines[0].get_xdata().size == UNITS


def test_the_controls_of_worth_have_the_masks_of_tickets_and_other_weights():
    groups = plans.GROUPS["worth"](plans.base("worth", "smoke"), 1)
    for name, other in plans.ANEW.items():
        ticket, control = (list(tickets.find(groups[group][0])) for group in (name, other))
        for record, again in zip(ticket, control, strict=True):
            masks = [key for key in record if key.startswith("removed_at/")]
            assert masks and all((record[key] == again[key]).all() for key in masks)
        kept = ticket[-1]["trained/linear.0.weight"] != 0
        start = ticket[0]["rewind/linear.0.weight"][kept]
        near, far = (
            np.corrcoef(start, run[-1]["trained/linear.0.weight"][kept])[0, 1] for run in (ticket, control)
        )
        assert far < 0.4 < 0.6 < near


def test_a_portrait_holds_what_is_measured_of_the_same_run_by_itself():
    base = config.preset("smoke", levels=2, subsets=3, probe_images=20, cells=3)
    found, apart = (
        list(portrait.PORTRAIT.find(base)),
        [list(one.find(base)) for one in (utility.UTILITY, surface.SURFACE)],
    )
    shapes = gaussianity.pack(list(gaussianity.REPRESENTATION.find(base)), base)
    for level, record in enumerate(found):
        others = {**apart[0][level], **apart[1][level], "probe/kurtosis": shapes["kurtosis/trained"][level]}
        assert set(record) == set(others)
        for name in others:
            np.testing.assert_array_equal(record[name], others[name], name)
