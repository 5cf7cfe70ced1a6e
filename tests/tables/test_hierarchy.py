"""What feeds a unit, where connections are known; preferred stimuli; plan of the chapter."""

import dataclasses

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from sifting import config, data, figures, observables
from sifting.probes.units import restore
from sifting.publish import plans
from sifting.tables import hierarchy, units
from tests.known import Known

SIZE, SIDE = (3, 8, 8), 4  # images; units of layer 1 on a grid of SIDE x SIDE


class Woven(Known):
    """A network of three layers whose connections are known, pruned in layers 1 and 2.

    Layer 1: units 0 to 15 look at 2 x 2 blocks that tile the image, unit 16 at nothing. Layer 2: each unit is
    fed by the blocks of one quarter, or by blocks anywhere. Layer 3 is fed by a few units of layer 2. Two
    levels a layer, of which the second is taken back.
    """

    def __init__(self, near=True, seed=0):
        draw = np.random.default_rng(seed)
        self.config = dataclasses.replace(config.preset("smoke"), layerwise=2, seed=seed)
        self.kind, self.key = "network", f"woven{seed}"
        first = np.zeros((17, *SIZE), bool)
        for unit in range(16):
            y, x = divmod(unit, SIDE)
            first[unit, :, 2 * y : 2 * y + 2, 2 * x : 2 * x + 2] = True
        quarters = np.zeros((4, 17), bool)
        for unit in range(16):
            y, x = divmod(unit, SIDE)
            quarters[2 * (y // 2) + x // 2, unit] = True
        second = np.repeat(quarters, 3, axis=0)
        if not near:
            second = observables.connectivity.rewire(second, draw)
        second[0, 16] = True
        third = np.zeros((2, 12), bool)
        third[0, [0, 3, 6]], third[1, [1]] = True, True
        self.weight = [
            np.where(mask, draw.uniform(1, 2, mask.shape), 0)
            for mask in (first.reshape(17, -1), second, third)
        ]
        self.arrays = {
            "shape": np.array(SIZE),
            "layer": np.array([0, 1, 1, 2, 2]),
            "tried": np.array([1, 0.5, 0.2, 0.5, 0.2]),
        }
        self.arrays["taken_back"] = np.array([False, False, True, False, True])
        for n, weight in enumerate(self.weight):
            self.arrays[f"removed_at/linear.{n}.weight"] = np.where(weight != 0, 255, 1).astype(np.uint8)
            self.arrays[f"trained/3/linear.{n}.weight"] = weight[weight != 0]
        curve = np.array([[0.5], [0.6], [0.4], [0.7], [0.1]], np.float32)
        self.arrays |= {"val_accuracy": curve, "test_accuracy": curve - 0.1, "train_accuracy": curve}


@pytest.fixture
def woven():
    return Woven()


# --- alike and near


def test_distances_are_those_of_the_blocks(woven):
    apart = observables.similarity.center_distance(woven.mask(1), SIZE)
    assert apart[0, 1] == pytest.approx(2) and apart[0, 5] == pytest.approx(np.sqrt(8))
    assert apart[0, 15] == pytest.approx(6 * np.sqrt(2)) and np.isnan(apart[16]).all()


def test_form_does_not_know_the_place_and_overlap_nothing_else():
    mask = np.zeros((4, *SIZE), bool)
    mask[0, 0, 1:4, 1], mask[1, 0, 4:7, 6], mask[2, 0, 1, 1:4], mask[3, 0, 1, 1] = True, True, True, True
    flat = mask.reshape(4, -1)
    form, overlap = observables.similarity.form_similarity(flat, SIZE), observables.similarity.overlap(flat)
    assert form[0, 1] == pytest.approx(1) and form[0, 2] == 0 and np.isnan(form[0, 3])
    assert overlap[0, 1:].tolist() == pytest.approx([0, 1 / 5, 1 / 3])


def test_the_radius_of_a_line_and_of_a_point():
    mask = np.zeros((3, *SIZE), bool)
    mask[0, 1, 2, :], mask[1, :, 3, 3] = True, True
    found = observables.similarity.radius(mask.reshape(3, -1), SIZE)
    assert found[:2] == pytest.approx([np.sqrt((8**2 - 1) / 12), 0], abs=1e-6) and np.isnan(found[2])


def test_fed_together_is_the_mean_over_pairs_that_one_unit_keeps():
    draw = np.random.default_rng(0)
    mask, values = draw.random((5, 7)) < 0.5, draw.random((7, 7))
    values[2, 3] = np.nan
    pairs = [
        values[i, k]
        for unit in mask
        for i in np.flatnonzero(unit)
        for k in np.flatnonzero(unit)
        if i != k and (i, k) != (2, 3)
    ]
    assert observables.similarity.fed_together(mask, values) == pytest.approx(np.mean(pairs))
    assert np.isnan(observables.similarity.fed_together(np.eye(7, dtype=bool), values))


def test_units_fed_by_neighbors_are_told_from_units_fed_at_random():
    near, random = (hierarchy.feeding([Woven(kind, seed) for seed in range(6)]) for kind in (True, False))
    assert near["distance"].shape == (6, 1)
    assert (hierarchy.excess(near, "distance") < -0.2).all()
    assert abs(hierarchy.excess(random, "distance").mean()) < 0.05
    assert near["overlap"].max() == 0 and near["form"] == pytest.approx(np.ones((6, 1)))


def test_runs_that_end_at_their_dense_network_are_looked_at_there(woven):
    for name in [name for name in woven.arrays if name.startswith("removed_at/")]:
        woven.arrays[name] = np.full_like(woven.arrays[name], 255)
    for name in ("val_accuracy", "test_accuracy", "train_accuracy", "taken_back", "layer", "tried"):
        woven.arrays[name] = woven.arrays[name][:1]
    assert hierarchy.last_levels([woven]) == [0]
    table = hierarchy.feeding([woven], hierarchy.last_levels([woven]))
    assert table["density"] == [1] and table["distance"] == [[0]], "all units look at everything"
    plt.close(figures.hierarchy.feeding(table))


# --- trees


def test_feeders_come_strongest_first_and_only_those_that_the_image_reaches(woven):
    found = hierarchy.feeders(woven, 3, 2, 3)
    assert [len(row) for row in found] == [3] * 12
    assert 16 not in found[0] and {*hierarchy.feeders(woven, 3, 2, 9)[0]} == {0, 1, 4, 5}
    strength = woven.weight[1][0, found[0]]
    assert (np.diff(strength) <= 0).all() and strength[0] == woven.weight[1][0, :16].max()


def test_a_tree_joins_the_masks_of_what_feeds_it(woven):
    top, middle, leaves = hierarchy.tree(woven, 3, 3, 0, count=9)
    assert {*middle["units"]} == {0, 3, 6} and len(leaves["units"]) == 12
    for above, below in ((top, middle), (middle, leaves)):
        for node in range(len(above["units"])):
            assert np.array_equal(above["masks"][node], below["masks"][below["parent"] == node].any(0))
    assert [len(row["units"]) for row in hierarchy.tree(woven, 3, 3, 0, count=2)] == [1, 2, 4]


def test_random_connections_reach_farther_and_growth_counts_inputs(woven):
    table = hierarchy.growth([woven])
    assert table["inputs"][0].tolist() == [12, 48, 96] and table["share"][0, 2] == pytest.approx(4 / 24)
    assert table["radius"][0, :2] == pytest.approx([np.sqrt(0.5), np.sqrt(2.5)])
    assert table["radius_random"][0, 1] > 1.2 * table["radius"][0, 1]


def test_a_turn_begins_at_the_network_that_was_there_and_is_frozen_at_its_last_good_level(woven):
    [[first], [second]] = hierarchy.turns([woven])
    assert first["density"].tolist() == [1, 0.5, 0.2] and first["frozen"] == second["frozen"] == 1
    assert first["best"] == pytest.approx([0.5, 0.6, 0.4])
    assert second["best"] == pytest.approx([0.6, 0.7, 0.1])
    assert woven.outcome == 3 and hierarchy.frozen([woven])["gain"] == pytest.approx([0.2])


def test_a_layer_without_a_turn_stays_as_it_was(woven):
    woven.arrays["layer"] = np.array([0, 1, 1, 1, 1])
    [_, [second]] = hierarchy.turns([woven])
    assert second["density"].tolist() == [1] and second["frozen"] == 0
    assert second["best"] == pytest.approx([0.7])


def test_the_figures_draw_what_is_in_the_tables(woven):
    tree = hierarchy.deepest(woven)
    figure = figures.hierarchy.tree(tree)
    assert len(figure.axes[0].images) == sum(len(row["units"]) for row in tree)
    assert len(figure.axes[0].lines) == sum(len(row["units"]) for row in tree[1:])
    drawn = figures.hierarchy.turns(hierarchy.turns([woven, Woven(seed=1)])).axes
    assert [len(ax.lines) for ax in drawn] == [6, 6]
    assert len(figures.hierarchy.growth({"a": hierarchy.growth([woven])}).axes) == 2
    plt.close("all")


def test_leaves_stand_apart_and_parents_above_the_middle_of_theirs(woven):
    top, middle, leaves = figures.hierarchy._places(hierarchy.tree(woven, 3, 3, 0, count=9))
    assert sorted(leaves) == list(range(12)) and sorted(middle) == [1.5, 5.5, 9.5] and top == [5.5]


# --- stimuli and plan

TINY = config.preset("smoke", levels=2, steps=6, rewind_step=1, evaluations=1, train_images=300)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIFTING_RESULTS", str(tmp_path_factory.mktemp("hierarchy")))
        yield plans.results("hierarchy", TINY, 1, "cpu")


def test_stimuli_are_the_images_with_the_highest_preactivation(found):
    [ticket], [stimuli] = found["shown", "main"], found["stimuli", "example"]
    images, last = data.load(TINY), ticket.shown[-1]
    model = restore(ticket, last, images)
    for layer in (2, 3):
        most = units.probe(stimuli, f"units/{layer}", last)
        reached = ticket.effective(last, layer).sum(1)
        assert (np.diff(reached[most]) <= 0).all() and reached[most[0]] == reached.max()
        x, _ = images.val.batch(torch.arange(len(images.val)))
        with torch.no_grad():
            every = model.preactivation(x, layer)[:, most.copy()]
        shown = units.probe(stimuli, f"images/{layer}", last)
        assert shown.shape[:2] == (len(most), 3)
        assert np.array_equal(shown[:, 0], images.val.images[every.argmax(0)].numpy())


def test_composition_puts_units_images_and_feeders_side_by_side(found):
    [ticket], [stimuli] = found["shown", "main"], found["stimuli", "example"]
    level = ticket.shown[-1]
    table = hierarchy.composition(ticket, stimuli, level, count=4, inputs=3)
    feeders = hierarchy.feeders(ticket, level, 2, 3)
    first = ticket.weights(level)
    for unit, mask, weights in zip(table["units"], table["masks"], table["weights"]):
        assert np.array_equal(mask.ravel(), ticket.effective(level, 2)[unit])
        assert np.array_equal(weights.reshape(len(weights), -1), first[feeders[unit]])
    assert table["images"].shape == (4, 3, 3, 8, 8) and figures.hierarchy.composition(table).axes[0].images
    plt.close("all")


def test_the_layerwise_network_is_deeper_and_keeps_the_weights_that_came_out(found):
    [run] = found["network", "layerwise"]
    assert len(run.config.widths) == 5 and run.config.layerwise == 3
    assert np.array_equal(run.weights(run.outcome, 1) != 0, run.mask(run.outcome, 1))
    assert "rewind/linear.0.weight" not in run.names()
    paper = plans.locality.hierarchy(config.preset("paper"), 4)["layerwise"]
    assert len(paper) == 4 and paper[0].widths == (1024,) * 8 and paper[0].prune_fraction == 0.3


def test_the_networks_pruned_together_are_those_of_the_first_chapter():
    laptop = config.preset("laptop")
    assert plans.locality.hierarchy(laptop, 3)["main"] == plans.locality.imp(laptop, 3)["main"]
