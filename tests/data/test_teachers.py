"""Labels that a teacher gives: a function of the pixels, and of nothing else."""

import dataclasses

import numpy as np
import pytest
import torch

from sifting import config, data
from sifting.data import clones, teachers

SMOKE = config.preset("smoke", labels="picture")


def taught(**fields):
    return data.load(dataclasses.replace(SMOKE, **fields))


@pytest.mark.parametrize("teacher", ["same", "reordered"])
def test_a_teacher_labels_images_and_changes_none(teacher):
    usual, found = taught(), taught(teacher=teacher)
    index = torch.arange(50)
    for split in ("train", "val", "test"):
        assert torch.equal(getattr(usual, split).batch(index)[0], getattr(found, split).batch(index)[0])
    share = torch.bincount(found.train.labels, minlength=found.classes) / len(found.train.labels)
    assert share.max() < 2 / found.classes, "classes are about equally frequent"
    assert found.classes == usual.classes
    assert not torch.equal(usual.train.labels, found.train.labels)


def test_the_teacher_has_learned_the_images_as_they_are():
    usual, same, other = taught(), taught(teacher="same"), taught(teacher="reordered")
    right = [float((usual.train.labels == one.train.labels).float().mean()) for one in (same, other)]
    assert right[0] > right[1] + 0.05 and right[0] > 3 / usual.classes


def test_the_reordered_teacher_says_of_an_image_what_the_teacher_says_of_it_reordered():
    usual = taught()
    draw = torch.Generator().manual_seed(SMOKE.data_seed)
    order = clones.Permuted(usual.shape, draw)
    known = teachers._trained(usual, draw, SMOKE.data_seed)
    x, _ = usual.test.batch(torch.arange(100))
    there = order(x.view(-1, *usual.shape)).flatten(1)
    says = teachers._says(known, usual.test, usual.shape, order)[:100]
    assert np.allclose(says, known.predict_log_proba(there.numpy()).clip(min=-100), atol=1e-4)


def test_thresholds_make_classes_equally_frequent():
    says = np.random.default_rng(0).normal(size=(6000, 5)) + [0, 1, 2, -3, 0.5]
    share = np.bincount((says + teachers.balanced(says)).argmax(1), minlength=5) / len(says)
    assert share == pytest.approx(np.full(5, 0.2), abs=0.01)


def test_labels_of_clones_are_those_of_their_own_pixels():
    one = taught(clone="one", teacher="same")
    again = taught(clone="one", teacher="same")
    assert torch.equal(one.train.labels, again.train.labels)
    other = taught(clone="one")
    index = torch.arange(len(one.train.labels))
    assert torch.equal(one.train.batch(index)[0], other.train.batch(index)[0]), "the same clones"
    assert float((one.train.labels == other.train.labels).float().mean()) < 0.2, "whose labels say nothing"


def test_one_gaussian_has_the_covariance_of_all_images_and_heeds_no_class():
    usual, one = taught(train_images=20_000), taught(train_images=20_000, clone="one")
    index = torch.arange(20_000)
    x, z = (some.train.batch(index)[0].double() for some in (usual, one))
    there, here = torch.cov(x.T), torch.cov(z.T)
    assert float((there - here).norm() / there.norm()) < 0.05
    z = z - z.mean(0)
    assert float(((z**4).mean(0) / (z**2).mean(0) ** 2).mean()) == pytest.approx(3, abs=0.05)
    means = torch.stack([z[one.train.labels == n].mean(0) for n in range(one.classes)])
    spread = torch.stack([x[usual.train.labels == n].mean(0) for n in range(one.classes)])
    assert float(means.std(0).mean()) < 0.2 * float(spread.std(0).mean()), "classes do not differ"


def test_teachers_are_of_images_as_they_are():
    with pytest.raises(ValueError, match="a teacher's labels are of images as they are"):
        dataclasses.replace(SMOKE, teacher="same", transform="rotate")
