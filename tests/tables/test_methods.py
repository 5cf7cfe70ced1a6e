"""Tables of one network pruned in many ways, of runs in which everything is known."""

import dataclasses
import itertools

import numpy as np
import pytest
from scipy import stats

from sifting import config, figures, observables
from sifting.results.history import History
from sifting.tables import basics, ensembles, methods, predictions, similarity, stability, structure

SMOKE = config.preset("smoke", family="lenet")
LAYERS = ["conv1", "fc1"]


def toy(seed=0, rows=False, dies=9, truth=None, moves=1.0) -> History:
    """A run of two layers and four levels, with what probes.evolution keeps.

    rows  : whether the first layer is pruned by whole inputs
    dies  : the level from which on the network puts all images into one class
    truth : the seed of the true classes, default: that of the run
    moves : how much weights change from level 0 to level 1; then twice, and thirty times as much
    """
    draw = np.random.default_rng(seed)
    removed = draw.choice([1, 2, 3, 255], (8, 6, 3, 3)).astype(np.uint8)
    if rows:
        removed[:] = np.array([1, 1, 2, 3, 255, 255])[:, None, None]
    second = draw.choice([1, 2, 3, 255], (4, 72)).astype(np.uint8)
    classes = np.random.default_rng(100 + (seed if truth is None else truth)).integers(0, 4, 400)
    said = np.where(draw.random((4, 400)) < 0.8, classes, draw.integers(0, 4, (4, 400)))
    said[dies:] = 1
    right = (said == classes)[:, 150:].mean(1)[:, None]
    return History.of("evolution", dataclasses.replace(SMOKE, seed=seed), {
        "removed_at/conv1.weight": removed, "removed_at/fc1.weight": second,
        "votes": (np.eye(4)[said] * 200).astype(np.uint8), "truth": classes.astype(np.uint8), "held_out": 150,
        "val_accuracy": np.zeros((4, 1)), "test_accuracy": right,
    } | {
        f"{what}/{layer}.weight": moves * np.array([1.0, 2.0, 30.0])
        for what, layer in itertools.product(stability.MEASURES, LAYERS)
    })  # fmt: skip


def test_dead_networks_are_found_and_left_out():
    run = toy(dies=3)
    assert predictions.dead(run).tolist() == [False, False, False, True]
    assert stability.changes({"": [run]}, levels="alive")[""]["fc1"].tolist() == [1.5], "levels 1 and 2 alone"
    found = ensembles.agreement({"a": [run], "b": [toy(1)]}, 3)
    assert np.isnan(found["agree"][0]).all()
    assert found["agree"][1, 1] == 1
    alive = ensembles.agreement({"a": [run], "b": [toy(1)]}, 1)
    assert alive["agree"][0, 1] == pytest.approx(0.34, abs=0.1), (
        "two networks that know nothing of each other's images"
    )


def test_the_last_good_level_is_the_last_with_most_of_the_accuracy():
    accuracy = np.array([0.8, 0.9, 0.5, 0.73, 0.2])[:, None]
    run = History.of("evolution", SMOKE, {"val_accuracy": accuracy, "test_accuracy": accuracy})
    assert predictions.last_good(run) == 3


# --- accuracy


def test_weights_that_are_cut_off_are_kept_and_do_not_matter():
    first, second = np.full((2, 3), 255, np.uint8), np.full((1, 2), 255, np.uint8)
    second[0, 1] = 1  # at level 1, three weights of the first layer lead nowhere
    run = History.of("evolution", SMOKE, {
        "removed_at/a.weight": first, "removed_at/b.weight": second,
        "val_accuracy": np.zeros((2, 1)), "test_accuracy": np.array([[0.9], [0.8]]),
    })  # fmt: skip
    found = methods.accuracy({"x": [run, run]})["x"]
    assert found["density"].tolist() == [1, 7 / 8] and found["kept"].tolist() == [[1, 7 / 8]] * 2
    assert found["matter"].tolist() == [[1, 4 / 8]] * 2
    assert methods.against({"x": found}, "matter")["x"]["density"].tolist() == [1, 4 / 8]
    assert found["test"].tolist() == [[0.9, 0.8]] * 2
    assert methods.weights_left([run], 2, 1) == (1, 2)
    figures.methods.accuracy({"title": {"x": found}})


def test_a_variant_is_measured_against_its_method():
    table = {
        name: {"test": np.array([[0.0, 0.1, 0.3]]) + more}
        for name, more in {"a": 0.5, "b": 0.2, "a, signs": 0.6, "b, signs": 0.1, "a, tuned": 0}.items()
    }
    points = methods.points(table, 1)
    assert points["a"].tolist() == pytest.approx([60])
    assert methods.points(table, slice(1, None))["a"].tolist() == pytest.approx([70])
    found = methods.varied(points, "signs")
    assert found["values"] - found["against"] == pytest.approx([0]), "mean of 10 and −10"
    found = methods.varied(points, "signs", ["b"])
    assert found["values"] - found["against"] == pytest.approx([-10])
    sorted_by_method = methods.variants(points, ("a", "b"), ("signs",))
    assert sorted_by_method == {
        name: {"rewound": points[name], "signs": points[f"{name}, signs"]} for name in "ab"
    }


def test_accuracy_between_levels_is_interpolated_and_beyond_them_unknown():
    rows = {
        "kept": np.array([[1, 0.1, 0.01], [1, 0.1, 0]]),
        "test": np.array([[0.9, 0.8, 0.2], [0.9, 0.7, 0.1]]),
    }
    at = {share: methods.points_at({"a": rows}, share)["a"] for share in (1, 0.1, 10**-1.5, 0.001)}
    assert at[1] == pytest.approx([90, 90]) and at[0.1] == pytest.approx([80, 70])
    assert at[10**-1.5] == pytest.approx([50, np.nan], nan_ok=True), "half way by the logarithm of the share"
    assert np.isnan(at[0.001]).all()


def test_a_network_lives_until_it_first_fails():
    test = np.array([[0.8, 0.9, 0.5, 0.75, 0.2], [0.8, 0.73, 0.73, 0.73, 0.73], [0.8, 0.1, 0.8, 0.8, 0.8]])
    assert methods.lived({"a": {"test": test}})["a"].tolist() == [1, 4, 0]
    redrawn = {"a": {"test": np.stack([test, test[::-1]])}}
    assert methods.lived(redrawn)["a"].tolist() == [[1, 4, 0], [0, 4, 1]]


@pytest.mark.parametrize("extra", [{}, {"density": np.array([1, 0.5, 0.2])}, {"x_null": np.ones((1, 3))}])
def test_levels_begin_behind_the_dense_network(extra):
    found = methods.by_level({"a": {"x": np.array([[0.0, 1, 2]])} | extra}, "x")["a"]
    assert found["level"].tolist() == [1, 2] and found["score"].tolist() == [[1, 2]]
    assert np.isfinite(found["null"]).all() == ("x_null" in extra) and found["null"].shape == (1, 2)
    assert "density" not in extra or found["density"].tolist() == [0.5, 0.2]


def test_parameters_left_are_shares_of_all():
    left = methods.parameters_left({"net": 5000}, (0, 0.9))
    assert methods.parameter_rows(left) == [["net", "5.0", "0.5"]]
    assert methods.largest_difference(left, {"net": [5, 1.5]}) == pytest.approx(1)


def test_runs_are_found_in_groups_of_groups():
    one, two, three = toy(1), toy(2), toy(3)
    assert basics.pooled({"a": [one, two], "b": {"c": [three], "d": {}}}) == [one, two, three]


def test_twice_is_a_doubling_up_and_half_a_doubling_down():
    np.testing.assert_equal(basics.doublings(np.array([4, 1, 0.5, 0, -1])), [2, 0, -1, np.nan, np.nan])


# --- similarity


def test_every_other_method_is_compared_with_one():
    groups = {"a": [toy(1)], "b": [toy(2)], "a, tuned": [toy(3)], "b, tuned": [toy(2)]}
    found = similarity.from_one(groups, "a")
    assert list(found) == ["b", "a, tuned", "b, tuned"]
    assert (
        found["b"]["distance"].tolist() == similarity.distance(groups["a"], groups["b"])["distance"].tolist()
    )
    treated = similarity.from_rewound(groups, ("a", "b"), ("tuned",))
    assert treated["a"]["tuned"]["distance"].tolist() == found["a, tuned"]["distance"].tolist()
    assert not treated["b"]["tuned"]["distance"].any()


def test_dead_networks_have_no_distance():
    found = similarity.by_layer({"x": similarity.distance([toy(0, dies=2)], [toy(1)])}, LAYERS)
    for layer in LAYERS:
        assert np.isfinite(found[layer]["x"]["distance"]).tolist() == [[True, False, False]]
    figures.methods.distance(found, columns=2, logx=True)


def test_the_margin_is_to_the_lowest_other():
    found = {"a": np.array([1.0, 2.0]), "b": np.array([5.0, 5.0]), "c": np.array([3.0, 3.5])}
    assert similarity.margin(found, "a").tolist() == [2, 1.5]
    assert similarity.margin(found, "c").tolist() == [-2, -1.5]


def test_distances_at_a_density_are_symmetric_and_those_of_that_level():
    groups = {"a": [toy(1)], "b": [toy(2)]}
    found = similarity.distances_at(groups, toy(1).density(2, 1), 1)
    own = similarity.distance(groups["a"], groups["b"])
    for what in ("distance", "chance"):
        assert found[what][0, 1] == found[what][1, 0] == pytest.approx(own[what][:, 2, 0])
        assert not found[what][[0, 1], [0, 1]].any()
    difference = own["chance"][:, 2, 0] - own["distance"][:, 2, 0]
    assert similarity.excess(found, ["a", "b"], "b", "a") == pytest.approx(difference)


def test_distances_are_zero_to_itself_and_chance_to_strangers():
    own = similarity.distance([toy(0)], [toy(0)])
    assert not own["distance"].any()
    other = similarity.distance([toy(0)], [toy(5)])
    assert other["distance"] == pytest.approx(other["chance"], abs=0.06)
    panels = similarity.by_layer({"x": other}, LAYERS, ["fc1"])
    assert list(panels) == ["fc1"] and panels["fc1"]["x"]["distance"].shape == (1, 3)
    assert similarity.over_layers(panels, 2)["x"].tolist() == other["distance"][:, 2, 1].tolist()
    both = similarity.over_layers(similarity.by_layer({"x": other}, LAYERS), 3, "excess")["x"]
    assert both == pytest.approx((other["chance"] - other["distance"])[:, 3].mean(1))


def test_masks_of_whole_inputs_have_chance_drawn_by_inputs():
    def mask(*inputs):
        rows = np.zeros((4, 6, 3, 3), bool)
        rows[:, list(inputs)] = True
        return rows

    single = np.random.default_rng(0).permutation(mask(0, 1).ravel()).reshape(4, 6, 3, 3)
    assert similarity.apart(mask(0, 1), mask(1, 2)) == pytest.approx((2 / 3, 1 - 11 / 45))
    assert similarity.apart(mask(0, 1), single)[1] == pytest.approx(0.8, abs=0.01), "drawn by weights"
    assert similarity.apart(mask(*range(6)), mask(*range(6))) == pytest.approx((0, 0))


@pytest.mark.parametrize("chosen, rank", [((0, 2), 1), ((2, 4), 4), ((3, 5), 15)])
def test_inputs_are_ranked_by_the_weights_that_are_kept_of_them(chosen, rank):
    single, whole = np.zeros((4, 6, 9), np.uint8), np.zeros((4, 6, 9), np.uint8)
    for place, count in enumerate((30, 10, 20, 4, 15, 2)):
        rows = np.zeros(36, np.uint8)
        rows[:count] = 255
        single[:, place] = rows.reshape(4, 9)
    whole[:, list(chosen)] = 255
    one, other = (
        History.of("evolution", SMOKE, {"removed_at/conv1.weight": removed, "val_accuracy": np.zeros((1, 1))})
        for removed in (single, whole)
    )
    assert similarity.rank_of_inputs([one], [other], 0, 1).tolist() == [rank]


def test_growth_like_a_logarithm_is_told_from_growth_like_a_line():
    levels = np.arange(1, 9)
    rows = {"": {"log": {"distance": np.log(levels)[None] + 0.3}, "line": {"distance": levels[None] / 9}}}
    explained = np.corrcoef(levels, np.log(levels))[0, 1] ** 2
    assert similarity.logarithmic_growth(rows, "log", 8) == pytest.approx([1 - explained])
    assert similarity.logarithmic_growth(rows, "line", 8) == pytest.approx([explained - 1])


# --- structure


def test_rows_of_a_mask_are_its_inputs_and_outputs():
    mask = np.random.default_rng(0).random((4, 3, 2, 2)) < 0.5
    assert structure.by_input(mask).sum(1).tolist() == mask.sum((0, 2, 3)).tolist()
    assert structure.by_output(mask).sum(1).tolist() == mask.sum((1, 2, 3)).tolist()
    dense = np.random.default_rng(1).random((4, 3)) < 0.5
    assert np.array_equal(structure.by_input(dense), dense.T)


def test_units_that_look_at_one_place_are_local_and_those_that_look_anywhere_are_not():
    draw, maps = np.random.default_rng(0), np.ones((30, 2, 6, 6), np.uint8)
    for unit in range(30):
        y, x = draw.integers(0, 4, 2)
        maps[unit, :, y : y + 3, x : x + 3] = 255
    shuffled = draw.permuted(maps.reshape(30, -1), axis=1)
    runs = {
        name: [
            History.of("evolution", SMOKE, {"removed_at/fc.weight": mask, "val_accuracy": np.zeros((2, 1))})
        ]
        for name, mask in {"blocks": maps.reshape(30, -1), "anywhere": shuffled}.items()
    }
    found = structure.with_localization(runs, 1, channels=2)
    assert found["blocks"]["localization"][0, 1] == pytest.approx(1, abs=0.08)
    assert found["anywhere"]["localization"][0, 1] == pytest.approx(0, abs=0.05)
    for rows in found.values():
        assert rows["density"].tolist() == [1, 0.25] and np.isnan(rows["localization"][0, 0])
        assert rows["outputs"][0, 1] == 0, "all units keep as many inputs"


def test_scores_of_convolutions_are_means_with_errors_and_without_the_rows_of_the_first():
    draw = np.random.default_rng(0)
    masks = {f"conv{n}": draw.choice([1, 255], (8, inputs, 3, 3)) for n, inputs in ((1, 1), (2, 8), (3, 8))}
    arrays = {f"removed_at/{name}.weight": mask.astype(np.uint8) for name, mask in masks.items()}
    curve = np.full((2, 1), 0.9)
    run = History.of("evolution", SMOKE, arrays | {"val_accuracy": curve, "test_accuracy": curve})
    found = structure.of_convolutions("Net", run, 2)
    score = observables.connectivity.degree_excess
    assert found["row"]["values"] == pytest.approx(score(structure.by_input(run.mask(1, 2))))
    columns = [score(structure.by_output(run.mask(1, n))) for n in (1, 2)]
    assert found["column"]["values"] == pytest.approx(np.mean(columns)) and found["column"]["error"] > 0
    assert [row[3] == "–" for row in found["rows"]] == [True, False]
    assert found["rows"][0][:2] == ["Net, conv1, level 1", "90 %"]


def test_the_row_score_is_one_at_random_and_large_for_rows():
    found = structure.scores({"random": [toy(s) for s in range(8)], "rows": [toy(rows=True)]}, 1)
    assert found["random"]["inputs"][:, 1:].mean() == pytest.approx(1, abs=0.25)
    assert found["rows"]["inputs"][0, 1] > 20 and found["rows"]["gone"][0].tolist() == [0, 2, 3, 4]
    assert found["rows"]["outputs"][0, 1] == 0
    assert found["rows"]["inputs_null"][0, 1] == pytest.approx(1, abs=0.4)


def test_a_correlation_over_conditions_has_an_error_over_them():
    density = np.array([1.0, 0.1])
    rows = {
        name: {"density": density, "a": np.full((3, 2), n), "b": np.full((3, 2), n**3)}
        for n, name in enumerate("uvwxyz")
    }
    assert structure.correlation(rows, 0.1, "a", "b") == {"values": 1, "error": 0}
    rows["z"]["b"] = np.full((3, 2), -9)
    found = structure.correlation(rows, 0.1, "a", "b")
    assert found["values"] == pytest.approx(1 / 7) and found["error"] > 0.3


def test_an_input_is_gone_alone_where_its_map_is_still_there():
    before, behind = (np.full(shape, 255, np.uint8) for shape in ((3, 1, 2, 2), (5, 3, 2, 2)))
    before[0], behind[:, :2] = 1, 1  # at level 1, one map is empty, and nothing reads it, nor the next
    run = History.of("evolution", SMOKE, {
        "removed_at/conv1.weight": before, "removed_at/conv2.weight": behind,
        "val_accuracy": np.zeros((2, 1)),
    })  # fmt: skip
    assert structure.gone_alone([run], 1, 2).tolist() == [1]
    assert structure.gone_alone([run], 0, 2).tolist() == [0]


# --- stability


def test_changes_over_the_same_levels_are_those_that_all_live_to_see():
    groups = {"long": [toy(0)], "short": [toy(1, dies=2)]}  # alive to level 3, and to level 1
    for what in stability.MEASURES:
        found = {levels: stability.changes(groups, what, levels) for levels in stability.LEVELS}
        means = {levels: [rows[name]["fc1"].tolist() for name in groups] for levels, rows in found.items()}
        assert means == {"all": [[11], [11]], "alive": [[11], [1]], "same": [[1], [1]]}


def test_correlations_with_accuracy_are_those_of_ranks_of_means():
    dies = dict(zip("abcd", (2, 3, 9, 9)))
    groups = {
        name: [toy(n, dies=level, moves=moves) for n in (1, 2)]
        for moves, (name, level) in zip((4, 3, 2, 1), dies.items())
    }
    accuracy = {name: np.array([n, n + 1]) for n, name in enumerate("abcd")}
    expected = {"all": -1, "alive": stats.spearmanr([4, 4.5, 22, 11], range(4)).statistic, "same": -1}
    for levels, value in expected.items():
        found = stability.correlation(stability.changes(groups, "change", levels), accuracy, LAYERS)
        assert found["values"] == pytest.approx(value)
        assert found["error"] == pytest.approx(0) or levels == "alive"
    rows = stability.correlation_rows(groups, accuracy)
    assert len(rows) == len(stability.MEASURES) * len(stability.LEVELS)
    assert rows[0] == ["change, all levels"] + ["−1.00 ± 0.00"] * 2


@pytest.mark.parametrize("values, rank", [([1, 2, 3, 4, 5, 6], 1), ([6, 5, 4, 3, 2, 1], -1)])
def test_a_rank_correlation_of_several_is_their_mean(values, rank):
    pairs = np.stack([np.arange(6), values], 1)
    assert basics.rank_correlation(np.array([pairs])) == {"values": rank, "error": pytest.approx(0)}
    both = basics.rank_correlation(np.array([pairs, np.stack([np.arange(6), np.arange(6)], 1)]))
    assert both["values"] == pytest.approx((1 + rank) / 2)


def test_order_is_kept_where_weights_grow_alike_and_lost_where_they_turn():
    sizes = np.arange(1, 7, dtype=np.float16)
    trained = [sizes, 2 * sizes, -sizes[::-1]]
    run = History.of("ticket", SMOKE, {
        "removed_at/a.weight": np.full((2, 3), 255, np.uint8), "val_accuracy": np.zeros((3, 1)),
    } | {f"trained/{level}/a.weight": values for level, values in enumerate(trained)})  # fmt: skip
    np.testing.assert_allclose(stability.order([run]), [[np.nan, 1, -1]])


def test_the_reach_of_a_network_is_told_in_levels():
    assert stability.reach_rows({"net": toy(0, dies=2)}) == [["net", "3", "1", "1"]]


def test_the_course_of_a_weight_ends_where_it_is_pruned():
    removed, accuracy = np.array([[1, 3], [2, 255]], np.uint8), np.zeros((3, 1))
    run = History.of("evolution", SMOKE, {
        "removed_at/x.weight": removed, "weights/x.weight": np.arange(12.0).reshape(3, 2, 2),
        "initial/x.weight": np.full((2, 2), -1.0), "val_accuracy": accuracy,
    })  # fmt: skip
    found = stability.evolution(run, "x")
    assert found[0].tolist() == [-1] * 4
    np.testing.assert_array_equal(found[1:], [[0, 1, 2, 3], [np.nan, 5, 6, 7], [np.nan, 9, np.nan, 11]])


# --- test images that are drawn anew


def test_accuracy_on_redrawn_images_has_the_spread_of_a_binomial():
    right = np.random.default_rng(5).random((3, 400)) < 0.8
    found = predictions.redrawn(right)
    assert found.shape == (1 + predictions.REDRAWS, 3) and found[0] == pytest.approx(right.mean(1))
    share = right.mean(1)
    np.testing.assert_allclose(found[1:].std(0), np.sqrt(share * (1 - share) / 400), rtol=0.15)
    np.testing.assert_array_equal(
        predictions.redrawn(right[:1])[:, 0], found[:, 0]
    )  # the same images for all
    assert (predictions.redrawn(np.ones((2, 9), bool)) == 1).all()


def test_what_is_measured_on_redrawn_images_begins_with_what_is_stored():
    groups = {"a": [toy(1), toy(2)], "b": [toy(3, truth=1), toy(4, truth=2)]}
    table = methods.accuracy(groups)
    drawn = methods.on_redrawn(groups, table)
    for name, rows in drawn.items():
        assert rows["test"].shape == (1 + predictions.REDRAWS, 2, 4)
        np.testing.assert_array_equal(rows["test"][0], table[name]["test"])
    for measure in (
        methods.lived,
        lambda some: methods.points(some, 1),
        lambda some: methods.points_at(some, 0.5),
    ):
        for name, values in measure(table).items():
            found = measure(drawn)[name]
            assert found.shape == (1 + predictions.REDRAWS, 2)
            np.testing.assert_array_equal(found[0], values)
    plain, again = (ensembles.accuracies(groups, ("a", "b"), redraw=redraw) for redraw in (False, True))
    for name, values in plain.items():
        np.testing.assert_allclose(again[name][0], values)


# --- ensembles


def test_several_seeds_of_one_way_are_an_ensemble_too():
    groups = {"a": [toy(1), toy(1)], "b": [toy(3, truth=1), toy(4, truth=1)]}
    found = ensembles.accuracies(groups, ("a", "b"))
    assert found["one way"].shape == (1, 4)
    single = ensembles.accuracies({"a": groups["a"]}, ("a",))
    np.testing.assert_allclose(single["one way"][0], single["a"][0])  # the same network twice


def test_ensembles_choose_on_one_half_and_measure_on_the_other():
    groups = {name: [toy(n, truth=0)] for n, name in enumerate("abcd")}
    truth = groups["a"][0]["truth"]
    found = ensembles.accuracies(groups, ("a", "b"))
    val = {
        name: (predictions.probabilities(runs[0], "val")[0].argmax(2) == truth[:150]).mean(1)
        for name, runs in groups.items()
    }
    best = np.array([max("abcd", key=lambda name: val[name][level]) for level in range(4)])
    assert found["best"][0].tolist() == [found[name][0, level] for level, name in enumerate(best)]
    mean = np.mean([predictions.probabilities(runs[0])[0] for runs in groups.values()], 0)
    assert found["all"][0].tolist() == (mean.argmax(2) == truth[150:]).mean(1).tolist()
    pairs = [("a", "b"), ("a", "c"), ("b", "c")]
    assert ensembles.subsets(["a", "b", "c"], 2) == [("a",), ("b",), ("c",), *pairs]
