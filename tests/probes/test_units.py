"""Ablations and driving images, on a small trained network."""

import dataclasses

import numpy as np
import pytest
import torch

from sifting import config, data, store
from sifting.probes.units import ablate, agreement, restore, top_images
from sifting.training.reference import evaluate

SETTINGS = dataclasses.replace(config.preset("smoke"), levels=2)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The ticket of SETTINGS and its anatomy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIFTING_RESULTS", str(tmp_path_factory.mktemp("anatomy")))
        [ticket] = store.load_or_run("ticket", [SETTINGS], "cpu")
        [probe] = store.load_or_run("anatomy", [SETTINGS], "cpu")
    return ticket, probe


@pytest.fixture(scope="module")
def images():
    return data.load(SETTINGS)


def test_a_restored_network_is_the_trained_one_up_to_half_precision(made, images):
    ticket, _ = made
    for level in range(ticket.levels + 1):
        model = restore(ticket, level, images)
        assert evaluate(model, images.test) == pytest.approx(ticket["test_accuracy"][level, -1], abs=0.01)
        weight = model.linear[0].weight.detach().numpy()
        assert np.array_equal(weight, ticket.weights(level)) and (weight[~ticket.mask(level)] == 0).all()


def test_ablation_starts_at_the_whole_network_and_leaves_it_unharmed(made, images):
    ticket, probe = made
    model = restore(ticket, 1, images)
    before = model.linear[0].weight.detach().clone()
    whole = evaluate(model, images.test)
    assert ablate(model, images.test, np.arange(0)) == whole
    nothing = ablate(model, images.test, np.arange(48))
    assert torch.equal(model.linear[0].weight, before)
    first = probe["ablation"][probe["levels"].tolist().index(1)]
    assert first[:, 0] == pytest.approx([whole] * 3) and first[:, -1] == pytest.approx([nothing] * 3)
    assert probe["removed"][0] == 0 and probe["removed"][-1] == 48


def test_top_images_have_the_highest_preactivations(made, images):
    model = restore(made[0], 1, images)
    units = np.array([3, 7])
    found, values = top_images(model, images.val, units)
    with torch.no_grad():
        every = model.preactivation(images.val.batch(torch.arange(len(images.val)))[0])[:, units]
    assert torch.equal(values[:, 0], every.max(0).values) and (values.diff(dim=1) <= 0).all()
    assert torch.equal(found[0, 0], images.val.images[every[:, 0].argmax().view(1)][0])


def test_of_few_images_all_are_shown_and_one_agrees_with_none(made, images):
    few = dataclasses.replace(
        images.val, images=dataclasses.replace(images.val.images, where=torch.tensor([5]))
    )
    found, values = top_images(restore(made[0], 1, images), few, np.array([3, 7]))
    assert found.shape[:2] == values.shape == (2, 1)
    assert np.isnan(agreement(found, np.ones((2, 192), bool))).all()


def test_agreement_is_one_where_images_agree_and_none_where_they_do_not():
    draw = torch.Generator().manual_seed(0)
    pictures = torch.randint(0, 256, (1, 40, 3, 8, 8), dtype=torch.uint8, generator=draw)
    pictures[0, :, 0] = pictures[0, 0, 0]
    inside, outside = agreement(pictures, np.arange(192)[None] < 64)[0]
    assert inside == pytest.approx(1) and outside == pytest.approx(0, abs=0.03)
    assert np.isnan(agreement(pictures, np.zeros((1, 192), bool))[0, 0])


def test_the_units_probed_are_the_most_connected(made):
    ticket, probe = made
    degree, units = ticket.mask(2).sum(1), probe["top_units"][-1]
    assert ticket.shown[-1] == 2 and (np.diff(degree[units]) <= 0).all() and degree[units[0]] == degree.max()
