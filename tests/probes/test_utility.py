"""What sets of weights are worth, against the literal definition."""

import dataclasses

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from sifting import config, data, store
from sifting.probes import utility
from sifting.pruning import tickets
from sifting.pruning.prunable import prunable
from sifting.results.masks import at
from sifting.training import models
from sifting.training.reference import generator


def smoke(family="resnet20", **fields):
    return config.preset("smoke", family=family, **fields)


def random_logits(*shape, seed=0, scale=3.0):
    return scale * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_divergence_is_its_definition():
    one, other = random_logits(50, 7), random_logits(50, 7, seed=1)
    p, q = one.double().softmax(1).numpy(), other.double().softmax(1).numpy()
    literal = [sum(a * np.log(a / b) for a, b in zip(*rows)) for rows in zip(p, q)]
    assert utility.divergence(one, other).numpy() == pytest.approx(literal, rel=1e-4)
    library = F.kl_div(other.log_softmax(1), one.log_softmax(1), reduction="none", log_target=True).sum(1)
    assert torch.allclose(utility.divergence(one, other), library, atol=1e-6)


def test_divergence_is_zero_for_the_same_never_negative_and_finite_for_what_underflows():
    same = random_logits(200, 10)
    assert (utility.divergence(same, same) == 0).all()
    near = same + 1e-4 * random_logits(200, 10, seed=1)
    assert (utility.divergence(same, near) >= 0).all()
    sure = torch.tensor([[500.0, 0.0, -500.0]])
    assert utility.divergence(sure, -sure).item() == pytest.approx(1000)
    assert torch.isfinite(utility.divergence(sure, same[:1, :3])).all()


@pytest.mark.parametrize("entropy", [0.01, 0.5, 0.99])
def test_a_temperature_gives_the_entropy_that_is_asked_for_however_large_logits_are(entropy):
    logits = random_logits(100, 7)
    found = utility.temperature(logits, entropy)
    said = torch.distributions.Categorical(logits=logits.double() / found)
    assert said.entropy().mean().item() / np.log(7) == pytest.approx(entropy, rel=1e-6)
    assert utility.temperature(1000 * logits, entropy) == pytest.approx(1000 * found, rel=1e-5)


@pytest.mark.parametrize("logits", [torch.ones(5, 3), torch.full((5, 3), torch.nan)])
def test_where_no_temperature_gives_it_there_is_none(logits):
    assert np.isnan(utility.temperature(logits, 0.5))


@pytest.fixture(scope="module", params=["resnet20", "vanilla", "fcn"])
def run(request):
    """A run of two levels, and what was measured of it."""
    probes = {"snapshots": 2, "subsets": 4, "probe_images": 20} if request.param == "fcn" else {}
    base = smoke(request.param, levels=1, **probes)
    return base, list(utility.UTILITY.find(base))


@pytest.fixture(scope="module")
def dense(run):
    """The same run, not pruned."""
    base = dataclasses.replace(run[0], levels=0)
    return base, list(utility.UTILITY.find(base))


def network(base, record, masks):
    """The network of a record, as anybody would build it."""
    images = data.load(base)
    model = models.build(base, images.shape, images.classes, generator(base, "weights")).eval()
    model.load_state_dict(
        {
            n.removeprefix("trained/"): torch.from_numpy(v)
            for n, v in record.items()
            if n.startswith("trained/")
        }
    )
    with torch.no_grad():
        for name, mask in masks.items():
            model.get_parameter(name).mul_(mask)
    return model, images.train.batch(torch.arange(base.probe_images))


def masks_of(record, level):
    return {
        n.removeprefix("removed_at/"): torch.from_numpy(at(v, level))
        for n, v in record.items()
        if n.startswith("removed_at/")
    }


@pytest.mark.parametrize("level", [0, 1])
@torch.no_grad()
def test_the_utility_of_a_set_is_the_divergence_without_it(run, dense, level):
    base, records = run if level else dense
    masks = masks_of(records[level], level)
    model, (x, y) = network(base, records[level], masks)
    whole = model(x).log_softmax(1)
    names = prunable(model, False, head=base.model != "fcn")
    kept = torch.cat(
        [masks.get(n, torch.ones(model.get_parameter(n).shape, dtype=torch.bool)).flatten() for n in names]
    )
    where = kept.nonzero().squeeze(1)
    found, left = (records[level][f"probe/{name}"][-1, 0] for name in ("utility", "remaining"))
    for place, ratio in enumerate(utility.RATIOS):
        for number in range(base.subsets):
            order = where[torch.randperm(len(where), generator=generator(base, "subsets", number))]
            flat = torch.cat([model.get_parameter(n).flatten() for n in names])
            flat[order[: int(ratio * len(where))]] = 0
            parts = flat.split([model.get_parameter(n).numel() for n in names])
            changed = {n: part.view_as(model.get_parameter(n)) for n, part in zip(names, parts)}
            said = torch.func.functional_call(model, changed, (x,)).log_softmax(1)
            literal = F.kl_div(said, whole, reduction="none", log_target=True).sum(1)
            halves = literal[::2].mean().item(), literal[1::2].mean().item()
            assert found[place, number] == pytest.approx(halves, rel=1e-3, abs=1e-6)
            assert left[place, number] == pytest.approx((said.argmax(1) == y).float().mean().item())


def test_how_sure_a_network_is_does_not_matter_at_equal_entropy():
    base = smoke(levels=0, snapshots=0)
    [record] = tickets.find(base)
    output = ("trained/fc.weight", "trained/fc.bias")
    surer = record | {name: 4 * record[name] for name in output}
    found = {}
    for entropy in (0.0, 0.5):
        probe = utility.Probe(dataclasses.replace(base, entropy=entropy), "cpu")
        found[entropy] = [probe.measure([one]) for one in (record, surer)]
    one, other = found[0.5]
    assert other["utility"][-1, 0] == pytest.approx(one["utility"][-1, 0], rel=1e-3, abs=1e-6)
    assert other["units"] == pytest.approx(one["units"], rel=1e-3, abs=1e-6)
    one, other = found[0.0]
    assert (other["utility"][-1, 0] > 1.5 * one["utility"][-1, 0]).all()


def test_every_time_is_measured_and_looking_changes_no_training(run):
    base, records = run
    assert records[0]["probe/times"].tolist() == [0, base.steps // 2, base.steps]
    assert records[1]["probe/times"].tolist() == [base.steps]
    plain = list(tickets.find(base))
    for record, other in zip(records, plain, strict=True):
        assert all((record[name] == other[name]).all() for name in other)


def test_what_the_pruning_keeps_is_measured_instead_of_all(run, dense):
    places = [utility.BASES.index(name) for name in ("share", "survivors")]
    (pruned, *_), (whole,) = (records for _, records in (run, dense))
    share, survivors = pruned["probe/utility"][-1, places]
    assert np.isfinite(survivors).all() and np.isnan(share).all()
    assert not np.array_equal(survivors, whole["probe/utility"][-1, 0])
    assert np.isnan(pruned["probe/utility"][0, 2]).all(), "before the end nobody knows what is kept"
    assert np.array_equal(pruned["probe/utility"][:-1], whole["probe/utility"][:-1], equal_nan=True)


def test_all_is_kept_where_no_weight_is_pruned():
    base = smoke(levels=1, prune_fraction=1e-12)
    kept = list(utility.UTILITY.find(base))[0]["probe/utility"][-1, utility.BASES.index("survivors")]
    whole = next(utility.UTILITY.find(dataclasses.replace(base, levels=0)))["probe/utility"][-1, 0]
    assert np.array_equal(kept, whole)


def test_the_last_level_alone_is_measured_as_if_every_one_were(run):
    base, records = run
    found = list(utility.UTILITY.find(dataclasses.replace(base, probed="last", min_alive=0)))
    assert not [name for name in found[0] if name.startswith("probe/")]
    for name in (name for name in records[1] if name.startswith("probe/")):
        assert np.array_equal(found[1][name], records[1][name], equal_nan=True), name


def test_numbers_are_those_of_the_whole_network():
    base = smoke(start_density=0.2, levels=0)
    [record] = utility.UTILITY.find(base)
    share, number, _ = record["probe/utility"][-1]
    assert np.isfinite(share).all()
    assert np.isnan(number[utility.RATIOS.index(0.25)]).all(), "a fifth of the weights has no quarter"
    assert number[1].mean() > share[1].mean()


def test_the_largest_weights_are_the_last_window_and_units_are_rows(run, dense):
    base, [record] = dense
    assert not [name for record in run[1] for name in record if name in ("probe/windows", "probe/layers")]
    model, (x, y) = network(base, record, {})
    names = prunable(model, False, head=base.model != "fcn")
    with torch.no_grad():
        flat = torch.cat([model.get_parameter(n).flatten() for n in names])
        count = int(0.25 * len(flat))
        flat[flat.abs().argsort(stable=True)[len(flat) - count :]] = 0
        parts = flat.split([model.get_parameter(n).numel() for n in names])
        changed = {n: part.view_as(model.get_parameter(n)) for n, part in zip(names, parts)}
        said = torch.func.functional_call(model, changed, (x,))
        assert record["probe/windows"][0, -1, -1] == pytest.approx(
            (said.argmax(1) == y).float().mean().item()
        )
        first = model.get_parameter(names[0]).clone()
        first[1] = 0
        said = torch.func.functional_call(model, {names[0]: first}, (x,))
        expected = utility.divergence(model(x), said)
        assert record["probe/units"][1] == pytest.approx(
            [expected[::2].mean().item(), expected[1::2].mean().item()], rel=1e-3, abs=1e-6
        )
    assert len(record["probe/units"]) == len(first) and record["probe/layers"].shape[0] == len(names)


def test_a_run_that_asks_for_nothing_is_refused():
    for fields in ({"subsets": 0}, {"probe_images": 1}):
        with pytest.raises(ValueError, match="utility needs subsets=1 or more and probe_images=2 or more"):
            next(utility.UTILITY.find(smoke(**fields)))


def test_what_is_stored_is_what_was_measured_and_a_run_goes_on_to_the_same_bits(results):
    base = smoke(levels=1)
    [run] = store.load_or_run("utility", [base], "cpu")
    records = list(utility.UTILITY.find(base))
    for level, record in enumerate(records):
        for name in ("utility", "remaining", "whole", "times", "units"):
            assert np.array_equal(run[f"{name}/{level}"], record[f"probe/{name}"], equal_nan=True), name
    again = next(utility.UTILITY.find(base, finished=records[:1]))
    assert all(np.array_equal(again[name], records[1][name], equal_nan=True) for name in again)
    assert not [name for name in run.names() if name.startswith(("snapshot", "probe", "trained"))]
    assert dataclasses.asdict(run.config) == dataclasses.asdict(base)
