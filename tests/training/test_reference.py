"""The reference loop: what it must leave alone, what it must keep at zero, and when."""

import dataclasses

import pytest
import torch

from sifting import config, data
from sifting.pruning.criteria import Cut, prune, saliency
from sifting.pruning.prunable import prunable
from sifting.training import models
from sifting.training.reference import (
    Stepper,
    batches,
    evaluate,
    evaluation_steps,
    generator,
    train,
)

SMOKE = config.preset("smoke")


@pytest.fixture(scope="module")
def images():
    return data.load(SMOKE)


def network(settings=SMOKE, classes=240):
    return models.build(settings, (3, 8, 8), classes, generator(settings, "weights"))


def half(model):
    parameters = dict(model.named_parameters())
    ones = {name: torch.ones_like(parameters[name], dtype=torch.bool) for name in prunable(model, True)}
    return prune(ones, saliency("magnitude", Cut(model, ones)), 0.5)


@pytest.mark.parametrize(
    "settings",
    [
        {"momentum": 0.9},
        {"momentum": 0.9, "weight_decay": 0.01},
        {"optimizer": "adam", "weight_decay": 0.01},
        {"batch_norm": "none"},
        {"batch_norm": "before"},
        {"batch_norm": "after"},
    ],
    ids=str,
)
def test_pruned_weights_are_exactly_zero_after_steps_and_others_learn(images, settings):
    settings = dataclasses.replace(SMOKE, **settings)
    model = network(settings, images.classes)
    masks, before = half(model), {name: value.detach().clone() for name, value in model.named_parameters()}
    train(model, masks, images, settings)
    for name, mask in masks.items():
        value = dict(model.named_parameters())[name].detach()
        assert (value[~mask] == 0).all()
        assert not torch.equal(value[mask], before[name][mask]) or not mask.any()


def test_lr_zero_changes_no_parameter(images):
    model = network(classes=images.classes)
    before = [value.clone() for value in model.parameters()]
    train(model, {}, images, dataclasses.replace(SMOKE, lr=0))
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters()))


def test_a_step_of_sgd_with_momentum_is_the_textbook_one(images):
    settings = dataclasses.replace(SMOKE, momentum=0.9, weight_decay=0.01, batch_norm="none")
    model = network(settings, images.classes).double()
    twin = network(settings, images.classes).double()
    masks = half(model)
    stepper = Stepper(model, masks, images, settings)
    velocity = [torch.zeros_like(value) for value in twin.parameters()]
    with torch.no_grad():
        for name, mask in masks.items():
            twin.get_parameter(name).mul_(mask)
    for index in batches(len(images.train), settings, 5, 0, "cpu"):
        x, y = images.train.batch(index)
        stepper.step(x.double(), y, settings.lr)
        loss = -torch.log_softmax(twin(x.double()), 1)[torch.arange(len(y)), y].mean()
        for (name, value), v, g in zip(
            twin.named_parameters(), velocity, torch.autograd.grad(loss, list(twin.parameters()))
        ):
            with torch.no_grad():
                v.mul_(settings.momentum).add_(g + settings.weight_decay * value)
                value.sub_(settings.lr * v).mul_(masks.get(name, torch.ones(())))
    for a, b in zip(model.parameters(), twin.parameters()):
        assert torch.allclose(a, b, atol=1e-12)


def test_learning_beats_chance(images):
    settings = dataclasses.replace(SMOKE, steps=200)
    curves = train(model := network(classes=images.classes), {}, images, settings)
    assert curves["train_loss"][-1] < curves["train_loss"][0]
    assert curves["val_accuracy"][-1] > 5 / images.classes
    assert curves["test_accuracy"][-1] == evaluate(model, images.test)


def test_evaluate_counts_right_answers_over_all_images(images):
    model = network(classes=images.classes).eval()
    x, y = images.val.batch(torch.arange(len(images.val)))
    expected = (model(x).argmax(1) == y).double().mean().item()
    assert evaluate(model, images.val, chunk=77) == pytest.approx(expected, abs=1e-12)


def test_evaluations_are_evenly_spaced_and_end_at_the_last_step():
    assert evaluation_steps(dataclasses.replace(SMOKE, steps=30, evaluations=3)) == [10, 20, 30]
    assert evaluation_steps(dataclasses.replace(SMOKE, steps=2, rewind_step=0, evaluations=50)) == [1, 2]


def test_epochs_show_every_image_once():
    settings = dataclasses.replace(SMOKE, replacement=False, batch_size=10)
    seen = torch.cat(list(batches(100, settings, 10, 0, "cpu")))
    assert sorted(seen.tolist()) == list(range(100))
    assert (
        len(
            torch.cat(
                list(batches(100, dataclasses.replace(settings, replacement=True), 10, 0, "cpu"))
            ).unique()
        )
        < 100
    )


def test_generators_differ_by_seed_purpose_and_level_and_by_nothing_else():
    def draw(*what):
        return torch.rand(1, generator=generator(*what)).item()

    other = dataclasses.replace(SMOKE, seed=1)
    values = [
        draw(SMOKE, "batches", 0),
        draw(SMOKE, "batches", 1),
        draw(SMOKE, "weights", 0),
        draw(other, "batches", 0),
    ]
    assert len(set(values)) == 4
    assert draw(dataclasses.replace(SMOKE, lr=0.5), "batches", 0) == values[0]


def test_the_rewind_hook_sees_the_network_after_that_many_steps(images):
    states = []
    settings = dataclasses.replace(SMOKE, steps=6, rewind_step=0)
    model = network(settings, images.classes)
    first = [value.clone() for value in model.parameters()]
    train(
        model,
        {},
        images,
        settings,
        after={n: lambda: states.append([v.detach().clone() for v in model.parameters()]) for n in (0, 6)},
    )
    assert all(torch.equal(a, b) for a, b in zip(states[0], first))
    assert all(torch.equal(a, b) for a, b in zip(states[1], model.parameters()))


@pytest.mark.parametrize("norm", config.SETTINGS["batch_norm"].choices)
def test_preactivations_are_what_forward_goes_through(norm):
    model = network(dataclasses.replace(SMOKE, batch_norm=norm), 10).eval()
    x = torch.randn(5, 192)
    assert torch.equal(model.preactivation(x, 4), model(x))
    assert model.preactivation(x, 1).shape == (5, 48) and model.preactivation(x, 2).shape == (5, 32)


def test_initial_weights_are_glorot_normal_and_biases_zero():
    model = models.build(config.preset("laptop"), (3, 16, 16), 240, generator(SMOKE, "weights"))
    weight = model.linear[0].weight
    assert weight.std().item() == pytest.approx((2 / (768 + 256)) ** 0.5, rel=0.01)
    assert all((linear.bias == 0).all() for linear in model.linear)
