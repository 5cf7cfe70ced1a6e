"""Criteria and the cut: exact counts, nested masks, the lowest scores."""

import dataclasses
import itertools

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from sifting import config
from sifting.config import SETTINGS
from sifting.data import Images, Split
from sifting.pruning import criteria, plain, tickets
from sifting.pruning.criteria import CRITERIA, ROUNDING, SCHEMES, SNIP_IMAGES, Cut, prune, saliency
from sifting.pruning.prunable import LAYERS, integer_part, prunable
from sifting.training import models


@pytest.fixture
def model():
    return models.build(config.preset("smoke"), (3, 8, 8), 12, torch.Generator().manual_seed(0))


def ones(model, biases=True, head=False):
    names = prunable(model, biases, head)
    return {name: torch.ones_like(model.get_parameter(name), dtype=torch.bool) for name in names}


def images(shape=(3, 8, 8), classes=12, count=60):
    draw = torch.Generator().manual_seed(1)
    pictures = torch.randint(0, 256, (count, *shape), dtype=torch.uint8, generator=draw)
    return Split(Images(pictures, torch.arange(count)), torch.randint(0, classes, (count,), generator=draw))


# --- what every criterion and scheme must do

SHAPE, CLASSES = (2, 12, 12), 12
FIRST = {models.kind(name): name for name in reversed(models.BUILDERS)}  # a model of every class of networks
KNOWN = [
    (criterion, name)
    for criterion in CRITERIA | SCHEMES
    for name in sorted(FIRST.values())
    if criterion in SCHEMES or name in CRITERIA[criterion].models
]


def cut(name, masks=None, seed=0):
    """A network with parameters of no special value, and all that a criterion may look at."""
    draw = torch.Generator().manual_seed(3)
    model = models.build(config.preset("smoke", model=name, width=1 / 4), SHAPE, CLASSES, draw)
    for value in model.parameters():
        torch.nn.init.normal_(value, std=0.3, generator=draw)
    values = [
        {name: torch.randn(value.shape, generator=draw) for name, value in model.named_parameters()}
        for _ in range(2)
    ]
    draw = torch.Generator().manual_seed(seed)
    return Cut(model, masks or ones(model, head=True), images(SHAPE), draw, values[0], lambda: values[1])


@pytest.fixture
def few(monkeypatch):
    """Criteria that look at images look at few."""
    monkeypatch.setattr(criteria, "SNIP_IMAGES", 100)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("criterion, network", KNOWN)
@pytest.mark.parametrize("scope", SETTINGS["scope"].choices)
@pytest.mark.parametrize("fraction", [0.001, 0.3, 0.95])
def test_exactly_the_integer_part_is_removed_and_only_what_was_kept(criterion, network, scope, fraction):
    masks = None
    for level in range(3):
        some = cut(network, masks, level)
        masks, scores = some.masks, saliency(criterion, some)
        new = prune(masks, scores, fraction, scope)
        assert all((new[name] <= masks[name]).all() for name in masks)
        pools = {"": list(scores)} if scope == "global" else {}
        for name in scores if scope == "layer" else []:
            pools.setdefault(name.rpartition(".")[0], []).append(name)
        for names in pools.values():
            kept, left = (sum(things(m[name], scores[name]) for name in names) for m in (masks, new))
            assert kept - left == int(fraction * kept)
        assert all(new[name] is masks[name] for name in masks if name not in scores)
        masks = new


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("criterion, network", KNOWN)
def test_scores_are_those_of_the_same_draw_and_nothing_is_touched(criterion, network):
    one, other, untouched = cut(network), cut(network), cut(network)
    torch.manual_seed(0)
    first = saliency(criterion, one)
    torch.manual_seed(1)
    second = saliency(criterion, other)
    assert bool(first) == (criterion in CRITERIA or any(LAYERS[of](one.masks) for of in SCHEMES[criterion]))
    assert first.keys() == second.keys() <= one.masks.keys()
    for name, score in first.items():
        assert torch.equal(score, second[name]) and score.isfinite().all()
        assert all(n in (1, size) for n, size in zip(score.shape, one.masks[name].shape, strict=True))
    for a, b in ((one.model.state_dict(), untouched.model.state_dict()), (one.masks, untouched.masks)):
        assert all(torch.equal(value, b[name]) for name, value in a.items())
    assert all(torch.equal(value, untouched.rewound[name]) for name, value in one.rewound.items())
    assert one.model.training == untouched.model.training


@pytest.mark.parametrize("criterion", CRITERIA)
def test_a_criterion_is_refused_by_name_and_by_network_where_it_is_for_another(criterion):
    names = CRITERIA[criterion].models
    assert criterion in dict(KNOWN), "it is for some model"
    for family in config.FAMILIES:
        settings = config.preset("smoke", family=family, criterion=criterion)
        if settings.model in names:
            tickets.check(settings)
            continue
        with pytest.raises(ValueError, match=f"{criterion} is for model {names[0]}.*, not {settings.model}"):
            tickets.check(settings)
    if CRITERIA[criterion].needs:
        with pytest.raises(ValueError, match=f"criterion {criterion} needs {CRITERIA[criterion].needs}: "):
            saliency(criterion, Cut(torch.nn.Sequential(), {}))


def test_a_criterion_sees_the_weights_at_the_rewind_point_and_before_any_training(monkeypatch):
    """A criterion as anybody may add it: how far a weight has moved since the rewind point."""
    seen = []

    def moved(cut):
        rewound, initial = cut.rewound, cut.initial()
        seen.append([{name: some[name].clone() for name in cut.masks} for some in (rewound, initial)])
        return {name: (cut.parameters[name].detach() - rewound[name]).abs() for name in cut.masks}

    monkeypatch.setitem(CRITERIA, "moved", criteria.Criterion(moved))
    settings = config.preset("smoke", criterion="moved", levels=2, min_alive=0, start_density=0.9)
    records = list(tickets.find(settings))
    start = next(tickets.find(dataclasses.replace(settings, criterion="magnitude", rewind_step=0, levels=0)))
    names = [name.removeprefix("removed_at/") for name in records[0] if name.startswith("removed_at/")]
    for rewound, initial in seen:
        for name in names:
            mask = records[0][f"removed_at/{name}"] > 0
            assert np.array_equal(rewound[name], records[0][f"rewind/{name}"])
            assert np.array_equal(initial[name].numpy() * mask, start[f"rewind/{name}"])
    apart = abs(records[0]["trained/linear.1.weight"] - records[0]["rewind/linear.1.weight"])
    there, gone = (records[0]["removed_at/linear.1.weight"] != level for level in (0, 1))
    assert apart[there & ~gone].max() <= apart[there & gone].min() and len(seen) == 2


def things(mask, score):
    """How many things that share a score are kept, none of them in part."""
    shared = mask.expand(mask.shape).movedim(
        [n for n in range(mask.ndim) if mask.shape[n] == score.shape[n]],
        [*range(sum(a == b for a, b in zip(mask.shape, score.shape)))],
    )
    rows = shared.reshape(score.numel(), -1)
    assert (rows.all(1) == rows.any(1)).all()
    return int(rows.any(1).sum())


@pytest.mark.parametrize("scope", SETTINGS["scope"].choices)
def test_magnitude_removes_the_smallest(model, scope):
    masks = ones(model)
    new = prune(masks, saliency("magnitude", Cut(model, masks)), 0.4, scope)
    parameters = dict(model.named_parameters())
    pools = (
        [[f"linear.{n}.weight"] for n in range(3)]
        if scope == "layer"
        else [[f"linear.{n}.weight" for n in range(3)]]
    )
    for names in pools:
        size = torch.cat([parameters[name].detach().abs().flatten() for name in names])
        kept = torch.cat([new[name].flatten() for name in names])
        assert size[~kept].max() <= size[kept].min()


def test_biases_share_the_pool_of_their_layer(model):
    masks = ones(model)
    new = prune(masks, saliency("magnitude", Cut(model, masks)), 0.3)
    assert not new["linear.0.bias"].any(), "zero biases are the smallest entries of the pool"
    assert "linear.0.bias" not in prunable(model, biases=False)


def test_the_output_layer_is_never_prunable(model):
    assert not any(name.startswith("linear.3") for name in prunable(model, biases=True))


def test_ties_still_go_in_exact_numbers():
    masks = {"a.weight": torch.ones(10, 10, dtype=torch.bool)}
    assert prune(masks, {"a.weight": torch.zeros(10, 10)}, 0.25)["a.weight"].sum() == 75


@pytest.mark.parametrize("rounding", ROUNDING)
def test_however_numbers_are_rounded_less_than_one_weight_more_or_less_goes(rounding):
    masks = {"a.weight": torch.ones(7, 11, dtype=torch.bool)}
    for fraction in (0, 0.004, 0.1, 0.37, 0.5, 0.996, 1):
        new = prune(masks, {"a.weight": torch.arange(77.0).view(7, 11)}, fraction, rounding=rounding)
        assert abs(77 * (1 - fraction) - int(new["a.weight"].sum())) < 1


def test_the_integer_part_is_that_of_whole_numbers_where_a_product_of_floats_falls_short():
    missed = []
    for digits in (1, 2, 3):
        for share in range(1, 10**digits):
            for count in range(0, 3_000, 10 ** (digits - 1)):
                fraction = share / 10**digits
                exact = share * count // 10**digits
                assert integer_part(fraction, count) == exact
                missed += [(fraction, count)] * (int(fraction * count) != exact)
    assert {(0.29, 100), (0.57, 100)} <= set(missed)


@pytest.mark.parametrize("percent", [29, 57, 58])
def test_of_a_hundred_weights_as_many_go_as_the_fraction_has_percent(percent):
    masks, weights = {"a.weight": torch.ones(10, 10, dtype=torch.bool)}, torch.arange(1, 101.0).view(10, 10)
    for new in (
        prune(masks, {"a.weight": weights}, percent / 100),
        plain.without_smallest({"a.weight": weights}, masks, percent / 100, "layer"),
    ):
        assert new["a.weight"].sum() == 100 - percent


def test_permuting_hidden_units_permutes_masks(model):
    masks, order = ones(model, biases=False), torch.randperm(48, generator=torch.Generator().manual_seed(1))
    before = prune(masks, saliency("magnitude", Cut(model, masks)), 0.5)
    with torch.no_grad():
        model.linear[0].weight.copy_(model.linear[0].weight[order].clone())
        model.linear[1].weight.copy_(model.linear[1].weight[:, order].clone())
    after = prune(masks, saliency("magnitude", Cut(model, masks)), 0.5)
    assert torch.equal(after["linear.0.weight"], before["linear.0.weight"][order])
    assert torch.equal(after["linear.1.weight"], before["linear.1.weight"][:, order])


def test_unknown_names_raise_with_the_choices(model):
    choices = ", ".join(sorted(CRITERIA | SCHEMES))
    with pytest.raises(ValueError, match=f"unknown criterion 'mag'; choose from {choices}$"):
        saliency("mag", Cut(model, ones(model)))
    choices = ", ".join(sorted(SETTINGS["scope"].choices))
    with pytest.raises(ValueError, match=f"unknown scope 'network'; choose from {choices}$"):
        prune(ones(model), ones(model), 0.3, "network")
    choices = ", ".join(sorted(ROUNDING))
    with pytest.raises(ValueError, match=f"unknown rounding 'up'; choose from {choices}$"):
        prune(ones(model), ones(model), 0.3, rounding="up")


# --- SNIP and SynFlow, against their definitions


@pytest.fixture
def tiny():
    """4-3-3-2 units, double precision, and masks that cut some of its weights."""
    draw = torch.Generator().manual_seed(2)
    model = models.FCN([4, 3, 3, 2], "before").double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draw, dtype=torch.float64))
    masks = ones(model, biases=False)
    masks["linear.0.weight"][0, 1] = masks["linear.1.weight"][2, 0] = False
    return model, masks


@pytest.mark.parametrize("batch_norm", SETTINGS["batch_norm"].choices)
def test_snip_is_the_derivative_by_the_mask(batch_norm):
    draw = torch.Generator().manual_seed(3)
    model, split = models.FCN([12, 5, 4, 3], batch_norm).double(), images((3, 2, 2), 3)
    masks = ones(model, biases=False)
    masks["linear.0.weight"][0, :6] = False
    scores = saliency("snip", Cut(model, masks, split, draw))
    x, y = split.batch(torch.randint(60, (SNIP_IMAGES,), generator=torch.Generator().manual_seed(3)))

    def loss(name, place, m):
        changed = {other: parameter * masks.get(other, 1) for other, parameter in model.named_parameters()}
        changed[name] = changed[name].detach().clone()
        changed[name][place] *= m
        buffers = {other: value.clone() for other, value in model.named_buffers()}
        return F.cross_entropy(torch.func.functional_call(model, changed | buffers, (x.double(),)), y)

    for name, place in itertools.product(masks, [(0, 0), (0, 7), (3, 2), (2, 3)]):
        place = tuple(p % n for p, n in zip(place, masks[name].shape))
        numeric = (loss(name, place, 1 + 1e-5) - loss(name, place, 1 - 1e-5)) / 2e-5
        assert scores[name][place].item() == pytest.approx(abs(numeric.item()), rel=1e-4, abs=1e-9)
    assert not scores["linear.0.weight"][0, :6].any()


def test_snip_leaves_the_model_alone_and_scaling_the_loss_changes_no_mask(model, monkeypatch):
    masks, before = ones(model, False), {k: v.clone() for k, v in model.state_dict().items()}

    def cut():
        scores = saliency("snip", Cut(model, masks, images(), torch.Generator().manual_seed(0)))
        return scores, prune(masks, scores, 0.9, "global")

    scores, mask = cut()
    plain = F.cross_entropy
    monkeypatch.setattr(F, "cross_entropy", lambda *a: 8 * plain(*a))
    scaled, same = cut()
    for name in masks:
        assert torch.allclose(scaled[name], 8 * scores[name]) and torch.equal(mask[name], same[name])
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_synflow_sums_the_paths_through_each_weight(tiny):
    model, masks = tiny
    scores = saliency("synflow", Cut(model, masks))
    layers = [linear.weight.detach().abs().numpy() for linear in model.linear]
    layers = [w * masks.get(f"linear.{n}.weight", torch.tensor(1)).numpy() for n, w in enumerate(layers)]
    expected = [np.zeros_like(w) for w in layers]
    for path in itertools.product(range(4), range(3), range(3), range(2)):
        product = np.prod([w[b, a] for w, a, b in zip(layers, path, path[1:])])
        for total, a, b in zip(expected, path, path[1:]):
            total[b, a] += product
    for n in range(2):
        assert scores[f"linear.{n}.weight"].numpy() == pytest.approx(expected[n])


def test_synflow_conserves_the_flow_through_every_layer_and_every_unit(model):
    scores = saliency("synflow", Cut(model, ones(model, False)))
    sums = [float(score.sum()) for score in scores.values()]
    assert sums == pytest.approx([sums[0]] * len(sums), rel=1e-12)
    first, second = scores["linear.0.weight"], scores["linear.1.weight"]
    assert torch.allclose(first.sum(1), second.sum(0), rtol=1e-12)
