"""One network pruned in many ways: networks, criteria, treatments, stacks, what is measured."""

import copy
import dataclasses
import itertools

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import prune as torch_prune

from sifting import config, observables, store
from sifting.data import Cropped, load
from sifting.pruning import tickets, treatments
from sifting.pruning.criteria import AXES, CRITERIA, NORMS, SCHEMES, Cut, prune, saliency
from sifting.pruning.prunable import LAYERS, prunable
from sifting.publish import plans
from sifting.tables import methods, predictions
from sifting.training import engines, models, reference, replicas
from sifting.training.stack import STACKS, stacked

SMOKE = config.preset("smoke", family="lenet")
SHAPE = (1, 28, 28)


def lenet(seed=0, dtype=torch.float32):
    return models.build(SMOKE, SHAPE, 10, torch.Generator().manual_seed(seed)).to(dtype)


def all_kept(model):
    parameters = dict(model.named_parameters())
    return {
        name: torch.ones_like(parameters[name], dtype=torch.bool)
        for name in prunable(model, biases=False, head=True)
    }


# --- networks


def test_the_numbers_of_parameters_are_those_of_the_paper():
    counts = {name: models.count(*size) for name, size in plans.methods.SIZES.items()}
    assert counts == {"LeNet": 60_074, "AlexNet": 61_100_840, "VGG-11": 132_863_336}
    left = methods.parameters_left(counts, plans.methods.FRACTIONS)
    assert methods.largest_difference(left, plans.methods.LEFT) < 1


def test_lenet_is_what_torch_makes_of_the_description():
    model, x = lenet(), torch.randn(5, 784, generator=torch.Generator().manual_seed(1))
    torch.manual_seed(0)
    plain = nn.Sequential(
        nn.Conv2d(1, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip
    bound = 0
    for mine, theirs in zip(model.parameters(), plain.parameters(), strict=True):
        if mine.ndim > 1:
            bound = mine[0].numel() ** -0.5  # of the bias that follows, too
        assert max(mine.abs().max(), theirs.abs().max()) <= bound * (1 + 1e-6)
        if mine.numel() > 500:
            assert mine.std().item() == pytest.approx(theirs.std().item(), rel=0.05)
    plain.load_state_dict(dict(zip(plain.state_dict(), model.state_dict().values())))
    assert torch.equal(model(x), plain(x.view(5, *SHAPE)))


def test_images_that_are_too_small_are_refused():
    with pytest.raises(ValueError, match="images of 6 x 6 are too small for model lenet"):
        models.build(SMOKE, (1, 6, 6), 10, torch.Generator())


# --- what goes


@pytest.mark.parametrize("norm, axis", [(None, None), *itertools.product(NORMS, AXES)])
def test_masks_are_those_of_torch(norm, axis):
    """Of magnitudes, and of L_p norms, whose p their name ends in: l2 has 2, l-inf -inf."""
    model, theirs, criterion = lenet(3), lenet(3), f"{norm}-{axis}" if norm else "magnitude"
    masks = all_kept(model)
    for _ in range(6):
        scores = saliency(criterion, Cut(model, masks))
        masks = prune(masks, scores, 0.2, rounding="nearest")
        for name, mask in masks.items():
            layer = theirs.get_submodule(name.removesuffix(".weight"))
            if norm is None:
                torch_prune.l1_unstructured(layer, "weight", 0.2)
            elif mask.shape[AXES[axis]] > 1:
                p = float(norm.removeprefix("l"))
                torch_prune.ln_structured(layer, "weight", 0.2, n=p, dim=AXES[axis])
            assert torch.equal(mask, getattr(layer, "weight_mask", torch.ones_like(mask)).bool()), name


def test_structured_pruning_stops_at_two_inputs_and_never_touches_one():
    model = lenet()
    masks = all_kept(model)
    for _ in range(30):
        masks = prune(masks, saliency("l2-inputs", Cut(model, masks)), 0.2, rounding="nearest")
    left = {
        name: int(mask.flatten(2).any(2).any(0).sum() if mask.ndim > 2 else mask.any(0).sum())
        for name, mask in masks.items()
    }
    assert left == {"conv1.weight": 1, "conv2.weight": 2, "fc1.weight": 2, "fc2.weight": 2, "fc3.weight": 2}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_scheme_prunes_each_kind_of_layer_by_its_own_criterion(scheme):
    model = lenet()
    masks = all_kept(model)
    new = prune(masks, saliency(scheme, Cut(model, masks)), 0.3, rounding="nearest")
    assert set(SCHEMES[scheme]) <= set(LAYERS) and set(SCHEMES[scheme].values()) <= set(CRITERIA)
    convolutions = {"conv1.weight": {"convolutions"}, "conv2.weight": {"convolutions", "later"}}
    for name, mask in new.items():
        layers = convolutions.get(name, {"linear", "later"})
        own = [criterion for of, criterion in SCHEMES[scheme].items() if of in layers]
        scores = saliency(own[0], Cut(model, masks)) if own else {}
        alone = prune(masks, scores, 0.3, rounding="nearest")
        assert torch.equal(mask, alone[name])


# --- what becomes of what is left


def test_treatments_do_what_they_say():
    model, values = lenet(1), {name: value.detach().clone() for name, value in lenet(0).named_parameters()}
    for name, expected in {
        "rewind": lambda value: value,
        "sigma-sign": lambda value: value.std() * value.sign(),
        "sign": lambda value: value.sign(),
        "finetune": None,
    }.items():
        before = {key: value.detach().clone() for key, value in model.named_parameters()}
        treatments.TREATMENTS[name](model, values)
        for key, value in model.named_parameters():
            assert torch.equal(value, expected(values[key]) if expected else before[key])


@pytest.mark.parametrize("treatment", treatments.TREATMENTS)
def test_a_run_goes_on_to_the_same_bits(treatment):
    settings = dataclasses.replace(SMOKE, treatment=treatment, levels=3, steps=4)
    whole = list(tickets.find(settings))
    part = list(itertools.islice(tickets.find(settings), 2))
    rest = list(tickets.find(settings, finished=part))
    assert len(whole) == 4 and len(rest) == 2
    for one, other in zip(whole[2:], rest):
        assert one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def test_fine_tuning_goes_on_from_the_trained_weights():
    settings = dataclasses.replace(SMOKE, treatment="finetune", levels=1, lr=0.0, steps=3)
    first, second = tickets.find(settings)
    for name in ("conv2.weight", "fc1.weight"):
        kept = second[f"removed_at/{name}"] > 1
        assert np.array_equal(second[f"trained/{name}"], np.where(kept, first[f"trained/{name}"], 0))


def test_a_run_ends_where_training_diverges():
    settings = dataclasses.replace(SMOKE, lr=1e6, levels=3)
    records = list(tickets.find(settings))
    assert len(records) == 1 and not np.isfinite(records[0]["trained/fc3.weight"]).all()
    assert len(list(tickets.find(settings, finished=records))) == 0
    # others in the same stack go on
    both = list(tickets.find_together([settings, dataclasses.replace(SMOKE, levels=3)]))
    assert [[record is not None for record in level] for level in both] == [[True, True]] + 3 * [
        [False, True]
    ]


def test_every_level_has_the_same_batches_unless_reshuffled():
    def drawn(settings, level):
        return torch.stack(list(reference.batches(400, settings, 8, level, "cpu")))

    assert torch.equal(drawn(SMOKE, 0), drawn(SMOKE, 3))
    other = dataclasses.replace(SMOKE, reshuffle=True)
    assert torch.equal(drawn(SMOKE, 0), drawn(other, 0)) and not torch.equal(drawn(other, 0), drawn(other, 3))


# --- stacks


def test_stacked_networks_put_out_the_bits_of_each():
    nets = [lenet(seed) for seed in range(3)]
    x = torch.randn(4, 3, 784, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        together = stacked(nets).forward(x, training=True)
        apart = torch.stack([net(x[:, n]) for n, net in enumerate(nets)], 1)
    assert torch.equal(together, apart)


def test_stacked_networks_end_where_the_reference_takes_each():
    data = load(SMOKE)
    settings = [dataclasses.replace(SMOKE, seed=seed, steps=6) for seed in (0, 1, 1)]
    nets = [lenet(seed, torch.float64) for seed in range(3)]
    draw = torch.Generator().manual_seed(2)
    masks = [
        {name: torch.rand(mask.shape, generator=draw) < 0.5 for name, mask in all_kept(net).items()}
        for net in nets
    ]
    alone = copy.deepcopy(nets)
    curves = replicas.train(nets, masks, [data] * 3, settings)
    for n in range(3):
        double = dataclasses.replace(
            data, **{name: _double(getattr(data, name)) for name in ("train", "val", "test")}
        )
        expected = reference.train(alone[n], masks[n], double, settings[n])
        assert curves[n]["val_accuracy"] == pytest.approx(expected["val_accuracy"], abs=0.005)
        for name, value in alone[n].state_dict().items():
            torch.testing.assert_close(nets[n].state_dict()[name], value, rtol=1e-9, atol=1e-9)
            if name in masks[n]:
                assert not value[~masks[n][name]].any()


class _Double:
    """A split whose images come in double precision."""

    def __init__(self, split):
        self.split, self.labels = split, split.labels

    def __len__(self):
        return len(self.split)

    def batch(self, index):
        x, y = self.split.batch(index)
        return x.double(), y


def _double(split):
    return _Double(split)


def test_convolutional_networks_are_trained_in_stacks():
    assert str(engines.settle("auto", lenet(), SMOKE)) == "replicas 1"
    assert tickets.teams(config.seeds(SMOKE, 3)) == [config.seeds(SMOKE, 3)]


def test_what_is_impossible_is_told_before_anything_is_computed():
    for fields, engine, message in (
        ({"criterion": "slimming"}, "auto", "criterion slimming is for model resnet20, not lenet"),
        ({}, "sparse", "the engine sparse trains model fcn, not lenet"),
    ):
        with pytest.raises(ValueError, match=message):
            tickets.check(dataclasses.replace(SMOKE, **fields), engine)


def test_a_parameter_of_one_entry_keeps_it_under_sigma_sign():
    model = nn.Linear(1, 1)
    treatments.sigma_sign_(model, {"weight": torch.tensor([[-0.3]]), "bias": torch.tensor([0.2])})
    assert model.weight.item() == pytest.approx(-0.3) and model.bias.item() == pytest.approx(0.2)


@pytest.mark.parametrize("model", [name for name in models.BUILDERS if models.kind(name) in STACKS])
def test_neither_company_nor_place_in_a_stack_changes_a_bit(model):
    """The network is the narrowest of which that is said: the inputs of its linear maps are fours."""
    settings = dataclasses.replace(SMOKE, model=model, steps=4, batch_size=20, widths=(28, 20))
    data = load(settings)

    def fours(width):
        net = models.build(dataclasses.replace(settings, width=width), data.shape, data.classes, None)
        return all(layer.in_features % 4 == 0 for layer in net.modules() if isinstance(layer, nn.Linear))

    with torch.device("meta"):
        width = next(width for width in (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1) if fours(width))
    settings = dataclasses.replace(settings, width=width)

    def trained(place, company):
        configs = [dataclasses.replace(settings, seed=0 if n == place else company) for n in range(8)]
        networks = [
            models.build(config, data.shape, data.classes, reference.generator(config, "weights"))
            for config in configs
        ]
        replicas.train(networks, [{}] * 8, [data] * 8, configs, 0, 0, None, False, 8)
        return torch.cat([value.flatten() for value in networks[place].parameters()]).detach()

    first = trained(0, 3)
    for place in range(8):
        assert torch.equal(first, trained(place, 5))


# --- images


def test_cropped_images_are_all_places_and_both_sides():
    pictures = torch.randint(
        1, 256, (3, 2, 6, 5), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    images = Cropped(pictures, torch.arange(3))
    assert len(images) == 3 * 2 * 81
    found = images[torch.arange(len(images))].numpy()
    seen = set()
    for number, form in enumerate(found):
        padded = np.pad(pictures[number % 3].numpy(), ((0, 0), (4, 4), (4, 4)))
        place, mirrored = divmod(number // 3, 2)
        y, x = divmod(place, 9)
        expected = padded[:, y : y + 6, x : x + 5]
        assert np.array_equal(form, expected[:, :, ::-1] if mirrored else expected)
        seen.add(form.tobytes())
    assert len(seen) == len(found), "no two forms are the same"
    assert np.array_equal(images[4:9].numpy(), found[4:9])


def test_pixels_are_normalized_over_all_images():
    data = load(SMOKE)
    x = data.train.batch(torch.arange(len(data.train)))[0]
    assert x.mean().item() == pytest.approx(0, abs=1e-4) and x.std().item() == pytest.approx(1, abs=1e-4)


# --- what is measured


@pytest.mark.parametrize(
    "kept, others, size", [(2, 2, 6), (3, 1, 5), (4, 3, 5), (0, 2, 4), (5, 5, 5), (0, 0, 3)]
)
def test_chance_is_the_mean_over_all_sets(kept, others, size):
    pairs = itertools.product(*(map(set, itertools.combinations(range(size), n)) for n in (kept, others)))
    expected = np.mean([len(a & b) / len(a | b) if a | b else 1 for a, b in pairs])
    assert observables.similarity.chance_jaccard(kept, others, size) == pytest.approx(expected)


def test_chance_of_many_weights_is_that_of_their_shares():
    found = observables.similarity.chance_jaccard(300_000, 300_000, 1_000_000)
    assert found == pytest.approx(0.3 / 1.7, rel=1e-5)


def test_an_evolution_holds_what_its_networks_say(monkeypatch, tmp_path):
    monkeypatch.setenv("SIFTING_RESULTS", str(tmp_path))
    settings = dataclasses.replace(SMOKE, levels=2, steps=4)
    run = store.load_or_run("evolution", [settings], "cpu", workers=1)[0]
    said, truth = predictions.probabilities(run)
    assert (said.argmax(2) == truth).mean(1) == pytest.approx(run.accuracy("test", "last"), abs=0.003)
    assert said.sum(2) == pytest.approx(65_535, abs=5)
    masked = run["weights/conv2.weight"] != 0
    assert np.array_equal(masked[2], run.mask(2, 2)) and run["initial/fc3.weight"].shape == (10, 84)
    kept = run.mask(1, 2)
    change = abs(run["weights/conv2.weight"][1].astype(float) - run["weights/conv2.weight"][0])[kept].mean()
    assert run["change/conv2.weight"][0] == pytest.approx(change, rel=0.02)
    assert run["order/fc1.weight"].shape == (2,)


def test_plans_share_their_runs():
    laptop = plans.base("methods", "laptop")
    assert laptop.model == "lenet" and plans.base("imp", "laptop").model == "fcn"
    runs = {
        chapter: set(plans.planned(chapter, laptop, 3))
        for chapter in ("methods", "similarity", "structure", "stability", "ensembles")
    }
    assert runs["ensembles"] < runs["methods"] and runs["ensembles"] < runs["similarity"]
