"""Tickets by the measures of all papers: tables, from runs in which everything is known.

And what is measured at once is what is measured apart.
"""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from sifting import config, figures
from sifting.probes import gaussianity, portrait, surface, utility
from sifting.pruning import tickets
from sifting.publish import plans
from sifting.results.axes import BASES, LINES, RATIOS, STATISTICS
from sifting.tables import synthesis, worth
from tests.known import Known

UNITS, SIZE = 24, (1, 6, 6)


class Ticket(Known):
    """A run of one pruning: unit j keeps a square of side 2, 3 or 4, and is worth `worth[j]`.

    It is `far[j]` from Gaussian. Sets of weights are worth 1 in the run of seed 0, 2 in the next.
    """

    def __init__(self, worth, far=0.0, seed=0, fall=0.0):
        base = config.preset("smoke", levels=1, seed=seed)
        self.config, self.kind = dataclasses.replace(base, rewind_step=0), "portrait"
        self.key = f"known{seed}"
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
            "whole/0": np.array([[0.9, 0.2]]), "whole/1": np.array([[0.7, 0.4]]),
            "plane/1": draw.random((len(STATISTICS), 3, 3)), "x/1": np.arange(3), "y/1": np.arange(3),
            "points/1": np.zeros((3, 2)), "own/1": np.zeros((len(STATISTICS), 3)),
        }  # fmt: skip


@pytest.fixture
def order():
    return np.random.default_rng(1).permutation(UNITS).astype(float)


def test_units_are_those_that_keep_an_input_with_what_is_known_of_them(order):
    run = Ticket(order, far=order / 10)
    run.arrays["removed_at/linear.0.weight"][3] = 1
    found = worth.units(run, 1)
    assert [len(values) for values in found.values()] == [UNITS - 1] * 6
    assert found["outputs"] == pytest.approx(np.delete(np.arange(UNITS) % 5 + 1, 3))
    assert found["worth"] == pytest.approx(np.delete(order, 3))
    assert found["far"] == pytest.approx(np.delete(order, 3) / 10)
    assert found["kurtosis"] == pytest.approx(3 - found["far"])
    assert set(found["inputs"]) == {4, 9, 16}


def test_rank_correlations_are_those_of_scipy_and_nothing_is_left_at_equal_ranks(order):
    found = {"inputs": order, "worth": order**3, "local": -order}
    assert worth.rank(found, "inputs", "worth") == pytest.approx(1)
    noise = np.random.default_rng(2).random(UNITS)
    found = {"a": order + 20 * noise, "b": order, "c": noise}
    assert worth.rank(found, "a", "b") == pytest.approx(stats.spearmanr(found["a"], order).statistic)
    rows = stats.rankdata([found[name] for name in "abc"], axis=1)
    rest = [row - np.polyval(np.polyfit(rows[2], row, 1), rows[2]) for row in rows[:2]]
    assert worth.rank(found, "a", "b", given=("c",)) == pytest.approx(np.corrcoef(*rest)[0, 1])
    found["d"] = np.random.default_rng(3).random(UNITS)
    rows = stats.rankdata([found[name] for name in "abcd"], axis=1)
    others = np.stack([np.ones(UNITS), rows[2], rows[3]], 1)
    rest = [row - others @ np.linalg.lstsq(others, row, rcond=None)[0] for row in rows[:2]]
    assert worth.rank(found, "a", "b", given=("c", "d")) == pytest.approx(np.corrcoef(*rest)[0, 1])
    assert np.isnan(worth.rank({"a": np.ones(9), "b": np.arange(9.0)}, "a", "b"))
    assert np.isnan(worth.rank(found, "a", "b", given=("b",))), "the same ranks"
    assert np.isnan(worth.rank({"a": np.arange(4.0), "b": np.arange(4.0)}, "a", "b"))


def test_ranks_and_barriers_are_found_at_a_density(order):
    runs = [Ticket(order, seed=n, fall=0.1 * n) for n in range(3)]
    ranks = worth.ranks({"a": runs}, "worth", "worth")["a"]
    assert ranks["value"] == pytest.approx(1) and ranks["value"].shape == (3, 1)
    lines = worth.barriers({"a": runs}, "step")["recomputed"]
    assert worth.near_density(lines["a"], 0.01) == pytest.approx([0, 10, 20])
    assert worth.values_near(lines, 0.01) == {"a": pytest.approx([0, 10, 20])}
    [row] = worth.barrier_rows({"a": runs}, 0.01)
    assert row[:3] == ["a", "10.0 ± 10.0", "10.0 ± 10.0"] and row[4].endswith(" %")
    assert len(row) == 1 + len(worth.BARRIER_HEAD)
    for wrong in (worth.at_same_density, worth.means_at):
        with pytest.raises(ValueError, match="unknown share 0.33"):
            wrong({"a": runs}, 0.3, 0.33)
    with pytest.raises(ValueError, match="unknown line 'nope'; choose from step, whole"):
        worth.barriers({"a": runs}, "nope")
    with pytest.raises(ValueError, match="accuracy, loss"):
        worth.barriers({"a": runs}, "whole", "error")


def test_a_barrier_is_a_part_of_what_both_ends_know():
    t = np.linspace(0, 1, 21)
    line = 1 - 0.2 * t - 0.1 * (1 - abs(2 * t - 1))
    assert worth.part(line) == pytest.approx(10 / 0.9)
    assert worth.part(np.stack([line, line / 3])) == pytest.approx([10 / 0.9] * 2, rel=1e-4), (
        "whatever has been learned"
    )


def test_the_highest_barrier_is_that_of_the_levels_down_to_a_density():
    line = {"density": np.array([0.5, 0.25, 0.125]), "value": np.array([[1.0, 3, 9], [4, 2, 8]])}
    for density, found in ((0.5, [1, 4]), (0.2, [3, 4]), (0.01, [9, 8])):
        assert worth.highest(line, density).tolist() == found


def test_units_and_planes_stand_under_the_density_of_their_level(order):
    run = Ticket(order)
    [(words, units)] = worth.units_by_density(run, (0.3, 0.2)).items()
    assert words == f"{100 * run.density(1, 1):.2g} % of the weights"
    assert units["worth"].tolist() == order.tolist()
    [(words, planes)] = worth.planes_by_density(run, (0.3,), ("recomputed",)).items()
    assert words == f"{100 * run.density(1):.2g} % of the weights" and list(planes) == ["recomputed"]
    assert np.array_equal(planes["recomputed"]["accuracy"], run["plane/1"][1])


def test_what_was_learned_is_that_of_the_dense_networks_once_and_of_every_ticket(order):
    groups = {name: [Ticket(order)] for name in ("IMP", "random")}
    rows = worth.trained_rows(groups, 0.3)
    assert [row[0] for row in rows] == ["dense", "IMP", "random"]
    assert [row[-1] for row in rows] == ["0.200", "0.400", "0.400"]


def test_the_worth_of_sets_is_told_in_doublings(order):
    groups = {"IMP": [Ticket(order, seed=1)], "random": [Ticket(order, seed=0)]}
    found = worth.doublings_at(groups, 0.3, 0.1)
    assert found["IMP"] - found["random"] == pytest.approx(1)


def test_the_same_tickets_by_all_measures(order):
    groups = {
        name: [Ticket(order, far=order / 10, seed=n, fall=fall) for n in range(2)]
        for name, fall in (("IMP", 0.0), ("one-shot", 0.05), ("random", 0.3))
    }
    found = synthesis.measured(groups, 0.3)
    assert found["random"]["barrier"] == pytest.approx([30, 30]) and found["IMP"]["barrier"] == pytest.approx(
        0
    )
    assert found["IMP"]["worth"] == pytest.approx([1, 2]) and found["IMP"]["far"] == pytest.approx(
        order.mean() / 10
    )
    kept = Ticket(order).mask(1).mean()
    assert found["one-shot"]["jaccard"] == pytest.approx(1), "the same mask"
    assert found["one-shot"]["chance"] == pytest.approx(kept / (2 - kept), abs=0.01)
    rows = synthesis.measured_rows(found)
    assert [row[0] for row in rows] == list(groups) and len(rows[0]) == 1 + len(synthesis.MEASURED_HEAD)
    along = synthesis.measured_along(groups)
    barriers = along["barrier from dense (points)"]["random"]
    assert barriers["value"].tolist() == [[barrier] for barrier in found["random"]["barrier"]], "one level"
    assert barriers["density"] == pytest.approx([kept], abs=0.05)
    assert along["test accuracy %"]["IMP"]["value"] == pytest.approx(100 * found["IMP"]["test"][:, None])
    shared = synthesis.shared_locality(groups, 0.3)
    assert shared["both"] == pytest.approx(shared["IMP"]) and shared[
        "as many of IMP's at random"
    ] == pytest.approx(shared["IMP"])
    assert shared["IMP's next level"] == pytest.approx(shared["IMP"]), "there is no other"


def test_properties_of_units_are_ranked_at_equal_inputs_and_outputs(order):
    noise = np.random.default_rng(4).random(UNITS)
    runs = [Ticket(order, far=order + 3 * noise, seed=n) for n in range(2)]
    runs[0].arrays["kurtosis/1"] = 3 - order[::-1]
    found = synthesis.unit_ranks({"IMP": runs}, 0.3)
    assert list(found) == list(synthesis.PAIRS)
    for words, pair in synthesis.PAIRS.items():
        expected = [worth.rank(worth.units(run, 1), *pair, given=("inputs", "outputs")) for run in runs]
        assert found[words]["IMP"] == pytest.approx(expected, nan_ok=True)
    mixed, peaked = found["high kurtosis and worth much"]["IMP"]
    assert peaked < -0.9 < mixed, "the less kurtosis, the more a unit of the second run is worth"


def test_means_and_spectra_of_tickets_are_taken_at_one_density(order):
    groups = {"IMP": [Ticket(order, seed=n) for n in range(2)]}
    assert worth.means_at(groups, 0.3, 0.1)["IMP"] == pytest.approx([1, 2])
    assert sorted(worth.at_same_density(groups, 0.3, 0.1)["IMP"]) == [1] * 5 + [2] * 5
    figure = figures.utility.scatter(
        {"a": worth.units(groups["IMP"][0], 1)}, "inputs", "worth", ("inputs", "nats")
    )
    assert figure.axes[0].lines[0].get_xdata().size == UNITS


def test_the_controls_of_worth_have_the_masks_of_tickets_and_other_weights():
    groups = plans.GROUPS["worth"](plans.base("worth", "smoke"), 1)
    for name, other in plans.synthesis.ANEW.items():
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
