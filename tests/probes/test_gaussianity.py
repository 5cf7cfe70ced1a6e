"""Clones, fields, kurtosis and cavity scores: against their definitions."""

import dataclasses

import numpy as np
import pytest
import threadpoolctl
import torch

from sifting import cache, config, data, figures, observables, store
from sifting.data import clones, fields
from sifting.probes import components
from sifting.probes.gaussianity import REPRESENTATION, example
from sifting.pruning import criteria, tickets
from sifting.publish.markup import svg
from sifting.results.masks import at
from sifting.tables import cavity, gaussianity
from sifting.training.models import build

SMOKE = config.preset("smoke", labels="picture")
TINY = dataclasses.replace(SMOKE, steps=8, rewind_step=2, levels=2, evaluations=2, widths=(16, 8))


def literal(x, weights):
    """The cavity scores by their definition: all preactivations anew for every weight."""
    scores = np.full(weights.shape, np.nan)
    for unit, row in enumerate(weights):
        if (row != 0).sum() < 3:
            continue
        whole = kurtosis_of(x @ row)
        for j in np.flatnonzero(row):
            without = kurtosis_of(x @ row - x[:, j] * row[j])
            scores[unit, j] = (without - whole) / whole * (1 if whole > 3 else -1)
    return scores


def kurtosis_of(values):
    centered = values - values.mean()
    return (centered**4).mean() / (centered**2).mean() ** 2


@pytest.fixture(scope="module")
def layer():
    """Inputs that are far from Gaussian, and pruned weights; two units have one and two inputs."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3000, 30)) ** 3 * rng.uniform(0.5, 2, 30) + rng.uniform(-3, 3, 30)
    x[:, ::2] = np.sign(x[:, ::2]) * rng.uniform(0.5, 1, (3000, 15))  # and some less than Gaussian
    weights = rng.standard_normal((8, 30)) * (rng.random((8, 30)) < 0.5)
    weights[5] *= np.arange(30) % 2 == 0
    weights[6, 1:], weights[6, 0], weights[7, 2:], weights[7, :2] = 0, 1, 0, 1
    return x, weights


# --- kurtosis and cavity scores


def test_kurtosis_of_known_distributions():
    rng = np.random.default_rng(0)
    values = np.stack([rng.standard_normal(200_000), rng.uniform(size=200_000), rng.laplace(size=200_000)], 1)
    assert observables.gaussianity.kurtosis(values) == pytest.approx([3, 1.8, 6], abs=0.15)
    assert observables.gaussianity.kurtosis(7 - 3 * values) == pytest.approx(
        observables.gaussianity.kurtosis(values)
    )
    assert np.isnan(observables.gaussianity.kurtosis(np.ones((5, 1)))).all()


@pytest.mark.parametrize("library", [np.asarray, torch.from_numpy], ids=["numpy", "torch"])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("images", [2, 3, 1000, 20_000])
def test_what_is_the_same_of_all_images_has_no_kurtosis_and_no_score(images, kind, library):
    said = np.array([0.1, -0.3, 1e-20, 1e-3, 255 / 77, 1e9, 0.0], kind)
    values = np.tile(said, (images, 1))
    values[-1, :5] = np.nextafter(values[-1, :5], kind(9))  # another order of adding up
    rare = np.zeros((images, 1), kind)
    rare[0] = kind(1e-3)
    found = np.asarray(observables.gaussianity.kurtosis(library(np.concatenate([values, rare], 1))))
    assert np.isnan(found[:-1]).all()
    assert found[-1] == pytest.approx(images - 2 + 1 / (images - 1), rel=0.01)  # one image stands out
    scores, _, whole = observables.gaussianity.cavity(library(values), library(np.ones((2, 7), kind)))
    assert np.isnan(np.asarray(whole)).all() and np.isnan(np.asarray(scores)).all()


def test_a_constant_input_changes_no_kurtosis(layer):
    x, weights = layer
    scores = observables.gaussianity.cavity(
        np.concatenate([x, np.full((len(x), 1), 0.1)], 1), np.concatenate([weights, np.ones((8, 1))], 1)
    )[0]
    assert (scores[:5, -1] == 0).all()
    expected = observables.gaussianity.cavity(x, weights)[0]
    np.testing.assert_allclose(scores[:5, :-1], expected[:5], atol=1e-12)


def test_cavity_scores_are_those_of_the_definition(layer):
    scores, linear, kurtosis = observables.gaussianity.cavity(*layer)
    expected = literal(*layer)
    np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-8)
    np.testing.assert_array_equal(np.isnan(scores), np.isnan(expected))
    assert kurtosis == pytest.approx([kurtosis_of(layer[0] @ row) for row in layer[1]])
    assert (kurtosis[:6] > 3).any() and (kurtosis[:6] < 3).any(), "both signs are tested"
    assert np.isnan(scores[6:]).all() and np.isnan(linear[6:]).all(), "too few inputs"


def test_first_order_scores_are_derivatives_and_add_up_to_zero(layer):
    x, weights = layer
    _, linear, kurtosis = observables.gaussianity.cavity(x, weights)
    np.testing.assert_allclose(np.nansum(linear, 1), 0, atol=1e-12)
    for unit, j in ((0, np.flatnonzero(weights[0])[1]), (5, np.flatnonzero(weights[5])[2])):
        ends = []
        for share in (1 - 1e-5, 1 + 1e-5):
            row = weights[unit].copy()
            row[j] *= share
            ends.append(kurtosis_of(x @ row))
        slope = (ends[1] - ends[0]) / 2e-5  # of the kurtosis, along w
        sign = 1 if kurtosis[unit] > 3 else -1
        assert linear[unit, j] == pytest.approx(-sign * slope / kurtosis[unit], rel=1e-4)


def test_cavity_scores_depend_on_no_chunk_shift_or_library(layer, monkeypatch):
    x, weights = layer
    expected = observables.gaussianity.cavity(x, weights)[0]
    np.testing.assert_allclose(observables.gaussianity.cavity(x + 100, weights)[0], expected, atol=1e-7)
    tensors = observables.gaussianity.cavity(torch.from_numpy(x), torch.from_numpy(weights))[0]
    np.testing.assert_allclose(tensors.numpy(), expected, atol=1e-12)
    monkeypatch.setattr("sifting.observables.gaussianity.CHUNK", 7)
    np.testing.assert_allclose(observables.gaussianity.cavity(x, weights)[0], expected, atol=1e-12)


def test_moments_are_means_of_products(layer):
    x, weights = layer
    lx, l2x2, l3x, lx3, x2, x4, l2, l4 = observables.gaussianity.moments(x, weights)
    x = x - x.mean(0)
    line = x @ weights.T
    for (a, b), found in {(1, 1): lx, (2, 2): l2x2, (3, 1): l3x, (1, 3): lx3}.items():
        np.testing.assert_allclose(found, np.einsum("nu,ni->ui", line**a, x**b) / len(x), atol=1e-9)
    np.testing.assert_allclose([x2, x4], [(x**2).mean(0), (x**4).mean(0)])
    np.testing.assert_allclose([l2[:, 0], l4[:, 0]], [(line**2).mean(0), (line**4).mean(0)])


def test_scores_by_level_of_removal():
    scores = np.array([[1.0, 2, 3, np.nan], [-1, -2, 5, 7]])
    removed_at = np.array([[1, 2, 3, 3], [3, 255, 3, 2]])
    found = observables.gaussianity.by_removal(scores, removed_at, 1, 3)
    np.testing.assert_equal(found["mean"], [np.nan, np.nan, 4.5, (3 - 1 + 5) / 3, -2])
    np.testing.assert_equal(found["median"], [np.nan, np.nan, 4.5, 3, -2])
    np.testing.assert_equal(found["count"], [0, 0, 2, 3, 1])
    np.testing.assert_equal(found["positive"], [np.nan, np.nan, 1, 2 / 3, 0])


def test_matched_scores_keep_what_depends_on_size_and_nothing_else():
    rng = np.random.default_rng(0)
    size = rng.random((50, 80))
    by_size = np.where(rng.random(size.shape) < 0.1, np.nan, 3 * size)
    np.testing.assert_allclose(observables.gaussianity.matched(by_size, size), by_size, atol=0.1)
    noise = observables.gaussianity.matched(rng.standard_normal(size.shape), size)
    assert abs(noise).max() < 0.6 and noise.std() < 0.2
    assert np.nanmean(observables.gaussianity.matched(by_size, size)) == pytest.approx(np.nanmean(by_size))


# --- clones


def images(count=4000, shape=(3, 4, 4)):
    """Images of correlated, skewed and heavy-tailed pixels, centered nowhere."""
    draw = torch.Generator().manual_seed(0)
    mix = torch.randn(48, 48, generator=draw) / 7
    return torch.randn(count, 48, generator=draw) ** 3 @ mix + torch.randn(48, generator=draw)


def test_a_gaussian_clone_has_mean_and_covariance_of_the_images_and_no_more():
    x = images()
    gaussian = clones.Gaussian(x)
    y = gaussian.sample(200_000, torch.Generator().manual_seed(1))
    torch.testing.assert_close(y.mean(0), x.mean(0), atol=0.02, rtol=0)
    covariance, other = torch.cov(x.T), torch.cov(y.T)
    assert (covariance - other).norm() < 0.02 * covariance.norm()
    assert gaussian.rank == 48
    directions = torch.randn(48, 20, generator=torch.Generator().manual_seed(2))
    assert observables.gaussianity.kurtosis(x @ directions).mean() > 3.3
    assert observables.gaussianity.kurtosis((y @ directions).double()).numpy() == pytest.approx(3, abs=0.06)


def test_clones_of_fewer_images_than_pixels_lie_in_their_span():
    x = images(20)
    gaussian = clones.Gaussian(x)
    assert gaussian.rank == 19
    y = gaussian.sample(100, torch.Generator().manual_seed(1)) - x.mean(0)
    basis = torch.linalg.svd(x - x.mean(0)).Vh[:19]
    torch.testing.assert_close(y @ basis.T @ basis, y, atol=1e-4, rtol=0)
    with pytest.raises(ValueError, match="2 images or more, not to 1"):
        clones.Gaussian(x[:1])


@pytest.mark.parametrize("kind", clones.FITTED)
def test_clones_of_classes_with_one_image_are_refused_before_anything_is_computed(kind, results):
    settings = dataclasses.replace(TINY, clone=kind, labels="fine", train_images=300)
    told = r"class .+ has 1 of the 300 training images: raise fraction \(1\) or train_images \(300\)"
    with pytest.raises(ValueError, match=told):
        store.load_or_run("masks", [TINY, settings])
    assert not results.exists()
    data.check(dataclasses.replace(settings, train_images=480))
    assert len(data.load(dataclasses.replace(settings, train_images=480)).train) == 480


def test_the_authors_clone_has_no_covariance_between_channels():
    x = images()
    channels = clones.Channels(x, 3)
    assert channels.rank == 3 * 16
    y = channels.sample(100_000, torch.Generator().manual_seed(1))
    first = torch.cov(x[:100].T)
    block = torch.block_diag(*[torch.ones(16, 16)] * 3).bool()
    assert (torch.cov(y.T)[block] - first[block]).norm() < 0.03 * first[block].norm()
    assert torch.cov(y.T)[~block].norm() < 0.03 * first[~block].norm()


def test_random_phases_keep_the_spectrum_the_means_and_the_relation_of_channels():
    x = images().view(-1, 3, 4, 4)
    y = clones.phase_randomized(x, torch.Generator().manual_seed(1))
    torch.testing.assert_close(torch.fft.fft2(y).abs(), torch.fft.fft2(x).abs(), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(y.mean((2, 3)), x.mean((2, 3)), atol=1e-5, rtol=0)
    for a, b in ((0, 1), (1, 2)):
        torch.testing.assert_close(
            (y[:, a] * y[:, b]).mean((1, 2)), (x[:, a] * x[:, b]).mean((1, 2)), atol=1e-4, rtol=1e-4
        )
    assert (y - x).abs().mean() > 0.5


def test_reordered_pixels_are_the_same_in_all_images_and_channels():
    x = images().view(-1, 3, 4, 4)
    permuted = clones.Permuted((3, 4, 4), torch.Generator().manual_seed(1))
    order = permuted(torch.arange(48.0).view(1, 3, 4, 4)).flatten().long()
    torch.testing.assert_close(permuted(x).flatten(1), x.flatten(1)[:, order])
    assert sorted(order[:16].tolist()) == list(range(16)) and (order[16:32] - 16 == order[:16]).all()


@pytest.mark.parametrize("kind", clones.FITTED | clones.CHANGED)
@pytest.mark.parametrize("normalize", data.NORMALIZE)
def test_cloned_data_sets_keep_labels_and_scale(kind, normalize):
    plain = data.load(dataclasses.replace(SMOKE, normalize=normalize))
    cloned = data.load(dataclasses.replace(SMOKE, normalize=normalize, clone=kind))
    assert cloned.shape == plain.shape and cloned.classes == plain.classes
    for split in ("train", "val", "test"):
        old, new = getattr(plain, split), getattr(cloned, split)
        torch.testing.assert_close(new.labels, old.labels)
        x, y = (some.batch(torch.arange(len(some)))[0] for some in (old, new))
        assert x.shape == y.shape and 0.6 < y.std() / x.std() < 1.7
    again = data.load(dataclasses.replace(SMOKE, normalize=normalize, clone=kind))
    torch.testing.assert_close(again.train.images.source, cloned.train.images.source)


def test_clones_are_of_images_as_they_are():
    with pytest.raises(ValueError, match="clone=joint needs transform=none"):
        dataclasses.replace(SMOKE, clone="joint", transform="rotate")


def test_what_is_cached_is_computed_once_and_a_damaged_file_again(tmp_path, monkeypatch):
    monkeypatch.setenv("SIFTING_CACHE", str(tmp_path / "new"))
    count = []

    def compute():
        count.append(1)
        return np.arange(5)

    first, second = cache.array("some", compute), cache.array("some", compute)
    second[0] = 9  # reaches no file
    assert cache.array("some", compute).tolist() == first.tolist() == [0, 1, 2, 3, 4] and len(count) == 1
    (tmp_path / "new" / "some.npy").write_bytes(b"torn")
    assert cache.array("some", compute).tolist() == [0, 1, 2, 3, 4] and len(count) == 2
    (tmp_path / "file").touch()
    monkeypatch.setenv("SIFTING_CACHE", str(tmp_path / "file" / "in"))
    assert cache.array("some", compute).tolist() == [0, 1, 2, 3, 4] and len(count) == 3


# --- fields


def test_fields_have_variance_one_at_every_gain_and_are_gaussian_at_none():
    z, labels = fields.gaussian(16, 6000, 0, "train")
    assert np.bincount(labels).tolist() == [1000] * 6
    for gain in (0, 0.3, 1, 10):
        assert fields.saturated(z, gain).var() == pytest.approx(1, abs=0.02)
    kurtosis = [kurtosis_of(fields.saturated(z, gain).ravel()) for gain in (0, 0.3, 1, 10)]
    assert kurtosis[0] == pytest.approx(3, abs=0.05) and kurtosis == sorted(kurtosis, reverse=True)
    assert kurtosis[-1] < 1.1


@pytest.mark.parametrize("number", range(len(fields.ANGLES)))
def test_fields_have_the_covariance_of_their_class(number):
    z, labels = fields.gaussian(16, 12_000, 0, "train")
    mine = z[labels == number]
    angle = np.radians(fields.ANGLES[number])
    along, across = (np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))
    step = 1 if fields.ANGLES[number] % 90 == 0 else 2**0.5

    def correlation(direction):
        dx, dy = (round(part * step) for part in direction)
        return (mine * np.roll(mine, (dy, dx), (1, 2))).mean()

    assert correlation(along) == pytest.approx(np.exp(-0.5 * step**2 / 9), abs=0.06)
    assert correlation(across) == pytest.approx(np.exp(-0.5 * step**2), abs=0.06)


def test_the_gain_is_a_dial_of_the_same_fields():
    settings = config.preset("smoke", dataset="fields", normalize="fixed")
    plain, sharp = (data.load(dataclasses.replace(settings, gain=gain)).train for gain in (0, 50))
    x, y = (split.batch(torch.arange(500))[0] for split in (plain, sharp))
    clear = x.abs() > 0.2
    assert (torch.sign(x) == torch.sign(y))[clear].all() and y[clear].abs().std() < 0.05
    torch.testing.assert_close(plain.labels, sharp.labels)


# --- a run, and what is measured of it


def test_a_representation_is_the_run_and_what_is_measured_of_it(results):
    [ticket] = store.load_or_run("ticket", [TINY], "cpu", workers=1)
    [found] = store.load_or_run("representation", [TINY], "cpu", workers=1)
    np.testing.assert_array_equal(found.removed_at(), ticket.removed_at())
    np.testing.assert_array_equal(found["val_accuracy"], ticket["val_accuracy"])
    split = data.load(TINY).train
    x = split.batch(torch.arange(2000))[0].double()
    x = (x - x.mean(0)) / (x.var(0, correction=0) + 1e-5).sqrt()
    for level in range(3):
        weights = ticket["rewind/linear.0.weight"] * ticket["rewind/before.0.weight"] * ticket.mask(level)
        rows = (x @ torch.from_numpy(weights).double().T).numpy()
        assert found["kurtosis/rewound"][level] == pytest.approx(
            [kurtosis_of(row) for row in rows.T], rel=1e-5
        )
        classes = [[kurtosis_of(row) for row in rows[split.labels == n].T] for n in range(15)]
        assert found["class_mean/rewound"][level] == pytest.approx(np.mean(classes, 1), rel=1e-4)
        assert found["pair_median/rewound"][level] == pytest.approx(np.median(classes), rel=1e-4)
        scores = observables.gaussianity.cavity(x.numpy(), weights.astype(float))[0]
        for fate in range(level + 1, 4):
            mine = scores[np.minimum(ticket.removed_at(), 3) == fate]
            assert found["cavity/score/mean"][level, fate] == pytest.approx(np.nanmean(mine), rel=1e-3)
        within = np.mean(
            [
                observables.gaussianity.cavity(x[split.labels == n].numpy(), weights.astype(float))[0]
                for n in range(15)
            ],
            0,
        )
        stay = within[ticket.removed_at() == 255]
        assert found["cavity/within/mean"][level, 3] == pytest.approx(np.nanmean(stay), rel=1e-3, abs=1e-6)
    assert found["identity"].max() < 1e-5
    units = example(found)
    assert units["before"].sum(1).max() <= 2000 and np.nanmax(abs(units["scores"])) < 1
    table = cavity.scores([found])
    assert table["score"].shape == (1, 3, 3) and cavity.turning(table)["next"].shape == (1,)
    controls = cavity.controls({"IMP": [found], "Gaussian clone": [found], "rewound to 0": [found]})
    assert [*controls][: len(cavity.CONTROLS)] == [*cavity.CONTROLS.values()]
    np.testing.assert_array_equal(controls["rewound to step 0"]["score"], table["score"])
    within = cavity.scores([found], "within")
    np.testing.assert_array_equal(controls["Gaussian clones, within classes"]["score"], within["score"])


def test_the_table_of_kurtosis_is_of_what_is_stored(results):
    runs = store.load_or_run("representation", config.seeds(TINY, 2), "cpu", workers=1)
    table = gaussianity.kurtosis({"IMP": runs})
    last = gaussianity.at_last(table)["IMP"]
    for n, run in enumerate(runs):
        values = run["kurtosis/rewound"]
        for level in range(3):
            alive = values[level][np.isfinite(values[level])]
            assert table["IMP"]["mean"][n, level] == pytest.approx(alive.mean())
            assert table["IMP"]["median"][n, level] == pytest.approx(np.median(alive))
            assert table["IMP"]["distance"][n, level] == pytest.approx(abs(alive - 3).mean())
        assert last["mean"][n] == table["IMP"]["mean"][n, 2] and last["test"][n] == run.accuracy("test")[2]
        assert last["trained"][n] == pytest.approx(np.nanmean(run["kurtosis/trained"][2]))
    assert all(values.shape == (2,) for values in last.values())


def test_kurtosis_at_equal_inputs_is_of_the_units_that_keep_as_many(results):
    [run] = store.load_or_run("representation", [TINY], "cpu", workers=1)
    [other] = store.load_or_run("representation", [dataclasses.replace(TINY, seed=1)], "cpu", workers=1)
    inputs, values = run.mask(2).sum(1), run["kurtosis/rewound"][2]
    low, high = np.quantile(other.mask(2).sum(1), [0.05, 0.95])
    found = gaussianity.kurtosis_at_inputs({"mine": [run], "random": [other]}, 2)
    assert found["mine"] == pytest.approx([np.nanmean(values[(low <= inputs) & (inputs <= high)])])
    there = np.isfinite(values) & (inputs > 2)
    rows = gaussianity.kurtosis_by_inputs({"mine": [run]}, 2, bins=3)["mine"]
    assert (np.diff(rows["inputs"]) >= 0).all() and (rows["error"] > 0).all()
    assert rows["kurtosis"].mean() == pytest.approx(values[there].mean(), rel=0.05)


def test_what_rises_and_at_how_many_levels():
    values = np.array([[1.0, 2, 4, 3], [4, 3, 2, 1]])
    assert gaussianity.rise(values).tolist() == [2, -3]
    assert gaussianity.rising(values) == pytest.approx([2 / 3, 0])


def test_a_representation_that_was_interrupted_goes_on_to_the_same_bits(results):
    [whole] = store.load_or_run("representation", [TINY], "cpu", workers=1)
    whole = {name: whole[name].tobytes() for name in whole.names()}
    for _ in range(2):
        store.advance("representation", TINY, "cpu", store.levels.stamp("representation", TINY))
    [again] = store.load_or_run("representation", [TINY], "cpu", fresh=True, workers=1)
    assert {name: again[name].tobytes() for name in again.names()} == whole


def test_runs_found_together_are_measured_one_by_one(results):
    both = config.seeds(TINY, 2)
    together = store.load_or_run("representation", both, "cpu", engine="replicas", workers=1)
    for run, alone in zip(together, [store.load("representation", one) for one in both]):
        assert run.engine.startswith("replicas") and run.config == alone.config
        records = list(REPRESENTATION.find(run.config))
        assert run["kurtosis/rewound"][0] == pytest.approx(records[0]["probe/kurtosis/rewound"], rel=1e-3)


def test_turning_of_a_table_that_turns_at_every_level():
    score = np.full((1, 4, 4), np.nan)
    for level in range(4):
        score[0, level, level:] = -2
        score[0, level, level] = 3
    found = cavity.turning({"score": score, "count": np.ones((1, 4, 4))})
    assert {name: float(value[0]) for name, value in found.items()} == {
        "next": 3, "later": -2, "difference": 5, "order": 0, "least": 3, "signs": 1,
    }  # fmt: skip
    score[0, 1, 3] = 1
    assert cavity.turning({"score": score, "count": np.ones((1, 4, 4))})["signs"] == pytest.approx(4 / 5)


# --- components, and pruning by the cavity score


def test_dots_lie_where_they_lay():
    values = np.random.default_rng(0).normal(size=20)
    figure = [
        figures.gaussianity.strips({"one": {"pixels": values}, "other": {"pixels": values}}, ("pixels",))
        for _ in range(2)
    ]
    assert svg(figure[0]) == svg(figure[1])


def test_the_share_of_pixels_that_a_component_is_spread_over():
    rows = np.zeros((3, 2, 4, 5))
    rows[0], rows[1, 0, 1, 2], rows[2, 1, :2] = -1, 3, 2
    assert gaussianity.participation(rows) == pytest.approx([1, 1 / 20, 1 / 2])
    assert gaussianity.participation(7 * rows) == pytest.approx(gaussianity.participation(rows))


def test_independent_components_find_what_was_mixed(monkeypatch):
    settings = dataclasses.replace(
        SMOKE, dataset="fields", labels="fine", normalize="fixed", train_images=5000
    )
    sources = np.random.default_rng(0).laplace(size=(5000, 64)).astype(np.float32)
    mixing = np.linalg.qr(np.random.default_rng(1).standard_normal((64, 64)))[0].astype(np.float32)
    split = data.Split(
        data.Images(torch.zeros(1, 1, 8, 8, dtype=torch.uint8), torch.zeros(5000, dtype=torch.int64)),
        torch.zeros(5000),
    )
    split.batch = lambda index: (torch.from_numpy(sources @ mixing)[index], None)
    monkeypatch.setattr(
        components, "load", lambda config: data.Dataset("toy", (1, 8, 8), 1, split, split, split)
    )
    record = components.compute(settings)
    found = abs(record["ica"] @ mixing.T)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    assert (found.max(1) > 0.9).mean() > 0.9 and len(set(found.argmax(1))) > 56
    assert record["ica/kurtosis"].mean() > record["pca/kurtosis"].mean() + 1
    assert record["iterations"] < components.ITERATIONS
    assert (components.largest(record["ica"]).sum(1) == 3).all()


def test_components_have_the_same_bits_on_one_thread_and_on_two():
    found = []
    for threads in (1, 2):
        with threadpoolctl.threadpool_limits(threads):
            found.append(components.compute(config.preset("smoke", train_images=5_000)))
    for name, values in found[0].items():
        assert values.tobytes() == found[1][name].tobytes(), name


def test_the_cavity_criterion_keeps_what_the_definition_says_and_touches_nothing():
    settings = dataclasses.replace(TINY, widths=(12, 10))
    model = build(settings, (3, 8, 8), 15, torch.Generator().manual_seed(0))
    split = data.load(settings).train
    draw = torch.Generator().manual_seed(1)
    masks = {
        name: torch.rand(p.shape, generator=draw) < 0.6
        for name, p in model.named_parameters()
        if name[:8] in ("linear.0", "linear.1")
    }
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = criteria.saliency("cavity", criteria.Cut(model, masks, split, torch.Generator().manual_seed(2)))
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, before[name])
    index = torch.randint(len(split), (criteria.SNIP_IMAGES,), generator=torch.Generator().manual_seed(2))
    x = split.batch(index)[0].double()
    for n in range(2):
        x = (x - x.mean(0)) / (x.var(0, correction=0) + 1e-5).sqrt()
        linear = model.linear[n]
        weight = (linear.weight * masks[f"linear.{n}.weight"]).detach().double()
        expected = literal(x.numpy()[:, :], weight.numpy()[:2])
        np.testing.assert_allclose(
            found[f"linear.{n}.weight"][:2].numpy(), -np.nan_to_num(expected), atol=1e-6
        )
        assert (found[f"linear.{n}.bias"] == 0).all()
        x = torch.relu(x @ weight.T + (linear.bias * masks[f"linear.{n}.bias"]).detach().double())


def test_runs_prune_by_the_cavity_score():
    records = list(tickets.find(dataclasses.replace(TINY, criterion="cavity", saliency_of="rewound")))
    kept = [at(records[-1]["removed_at/linear.0.weight"], level).sum() for level in range(3)]
    assert kept[0] > kept[1] > kept[2] > 0
