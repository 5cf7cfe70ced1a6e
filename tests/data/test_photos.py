"""Patches of photographs: nothing leaks, classes have their shares, patches are as said."""

import collections
import dataclasses
import types

import numpy as np
import pytest
import torch

from sifting import data
from sifting.config import Config
from sifting.data import photos

SMALL = Config(image_size=16, train_images=4800, val_images=480, test_images=480, normalize="patch")


def small(**fields):
    return dataclasses.replace(SMALL, **fields)


@pytest.fixture(scope="module", params=(8, 16, 32, 64))
def size(request):
    return request.param


@pytest.fixture(scope="module")
def pictures():
    return [photos.read(name) for name in photos.PICTURES]


def test_no_original_pixel_serves_two_splits(size, pictures):
    """Every position that a patch could be drawn from, not only those that happen to be."""
    found = photos.atlas(size)
    painted = {}
    for split in photos.SPLITS:
        origins = np.concatenate([some for group in found.positions[split] for some in group])
        cut = photos.provenance(small(image_size=size), torch.from_numpy(origins))
        maps = [np.zeros((picture.shape[1] + 1, picture.shape[2] + 1), np.int64) for picture in pictures]
        for number, edges in enumerate(maps):  # a box is four corners of its second difference
            mine = cut["picture"] == number
            y, x, bottom, right = (cut[name][mine] for name in ("y", "x", "bottom", "right"))
            assert y.min() >= 0 and bottom.max() < edges.shape[0]
            assert x.min() >= 0 and right.max() < edges.shape[1]
            for rows, columns, sign in ((y, x, 1), (bottom, right, 1), (y, right, -1), (bottom, x, -1)):
                np.add.at(edges, (rows, columns), sign)
        painted[split] = [edges.cumsum(0).cumsum(1)[:-1, :-1] > 0 for edges in maps]
    for train, val, test in zip(*painted.values(), strict=True):
        assert train.any() and val.any() and test.any()
        assert not (train & val).any() and not (train & test).any() and not (val & test).any()


def test_every_class_has_positions_in_every_split_at_every_scale(size):
    found = photos.atlas(size)
    scales = [sum(tile.picture == number for tile in found.tiles) for number in range(len(photos.PICTURES))]
    for split in photos.SPLITS:
        groups = found.positions[split]
        assert len(groups) == 240
        for label, group in enumerate(groups):
            assert len(group) == scales[label // 16] > 0
            assert min(len(origins) for origins in group) >= photos.LEAST


def test_patch_is_the_picture_at_its_footprint(size, pictures):
    """Cut from the original pixels anew: mean of scale x scale pixels, or between extremes."""
    config = small(image_size=size)
    images, _ = photos.load(config)["val"]
    cut = photos.provenance(config, images.where)
    for k in range(0, 480, 7):
        number, scale = cut["picture"][k], cut["scale"][k]
        y, x, bottom, right = (cut[name][k] for name in ("y", "x", "bottom", "right"))
        piece = pictures[number][:, y:bottom, x:right].double().numpy()
        patch = images[torch.tensor([k])][0].numpy()
        if scale >= 1:
            s = int(scale)
            again = piece.reshape(3, size, s, size, s).mean((2, 4))
            assert np.abs(patch - again).max() <= 0.5 + 1e-4
        else:  # every magnified pixel lies between the least and greatest of the footprint
            assert (patch >= piece.min((1, 2))[:, None, None]).all()
            assert (patch <= piece.max((1, 2))[:, None, None]).all()


@pytest.mark.parametrize("scale", (*photos.SCALES, 1 / 2, 1 / 3, 1 / 5))
def test_patch_depends_on_nothing_outside_its_footprint(scale):
    length, size = 41, 7
    draw = torch.Generator().manual_seed(0)
    noise = torch.randint(256, (3, length, length), dtype=torch.uint8, generator=draw)
    whole = photos.rescale(noise, scale)
    origins = np.arange(whole.shape[1] - size + 1)
    first, last = photos.footprint(origins, scale, size, length)
    for origin in origins:
        kept = slice(first[origin], last[origin])
        masked = torch.zeros_like(noise)
        masked[:, kept, kept] = noise[:, kept, kept]
        patch = (slice(None), slice(origin, origin + size), slice(origin, origin + size))
        assert torch.equal(photos.rescale(masked, scale)[patch], whole[patch])


def test_class_is_the_cell_of_the_patch_center(size, pictures):
    config = small(image_size=size)
    for images, labels in photos.load(config).values():
        cut = photos.provenance(config, images.where)
        shape = np.array([picture.shape[1:] for picture in pictures])[cut["picture"]]
        row = 4 * (cut["y"] + cut["bottom"]) // (2 * shape[:, 0])
        column = 4 * (cut["x"] + cut["right"]) // (2 * shape[:, 1])
        assert np.array_equal(labels.numpy(), 16 * cut["picture"] + 4 * row + column)


def test_classes_and_scales_have_equal_shares():
    config = small(val_images=720, test_images=730)
    for images, labels in photos.load(config).values():
        counts = torch.bincount(labels, minlength=240)
        assert counts.max() - counts.min() <= 1
        cut = photos.provenance(config, images.where)
        retina = cut["scale"][cut["picture"] == photos.PICTURES.index("retina")]
        scales, shares = np.unique(retina, return_counts=True)
        assert scales.tolist() == [1, 2, 3] and shares.max() - shares.min() <= 16  # one image a class


def test_no_position_is_drawn_twice_before_all_are():
    images, labels = photos.load(small(train_images=240 * 500))["train"]
    assert len(torch.unique(images.where)) == len(images)
    images, labels = photos.load(small(image_size=32, val_images=240 * 300))["val"]
    for label, group in list(enumerate(photos.atlas(32).positions["val"]))[::9]:
        drawn = collections.Counter(images.where[labels == label].tolist())
        for origins in group:
            times = [drawn[origin] for origin in origins.tolist()]
            assert max(times) - min(times) <= 1


def test_draws_repeat_by_seed_and_splits_do_not_depend_on_each_other():
    one, again, other = (data.load(small(data_seed=seed)) for seed in (0, 0, 1))
    assert torch.equal(one.train.images.where, again.train.images.where)
    assert not torch.equal(one.train.images.where, other.train.images.where)
    more = data.load(small(train_images=7200, seed=5, lr=0.5))
    assert torch.equal(one.val.images.where, more.val.images.where)
    assert torch.equal(one.test.labels, more.test.labels)


@pytest.mark.parametrize(("count", "sets"), [(3, 5), (5, 3), (7, 2), (10, 1), (15, 1), (1, 15)])
def test_sets_of_photographs_have_none_in_common_as_long_as_there_are_enough(count, sets):
    deals = [
        [photos.chosen(small(pictures=count, data_seed=sets * deal + n)) for n in range(sets)]
        for deal in range(3)
    ]
    for deal in deals:
        assert all(len(one) == count and one == sorted(one) for one in deal)
        assert len({number for one in deal for number in one}) == count * sets
    assert count == 15 or deals[0] != deals[1] != deals[2]
    assert photos.chosen(small()) == photos.chosen(small(pictures=15)) == [*range(15)]


@pytest.mark.parametrize("labels", ["fine", "picture", "scattered"])
def test_of_chosen_photographs_alone_there_are_patches_and_classes(labels):
    config = small(pictures=4, data_seed=2, labels=labels)
    numbers, found, names = photos.chosen(config), data.load(config), data.class_names(config)
    assert found.classes == len(names) == {"fine": 64, "picture": 4, "scattered": 10}[labels]
    for split in (found.train, found.val, found.test):
        picture = photos.provenance(config, split.images.where)["picture"]
        assert set(picture) == set(numbers)
        shown = [photos.PICTURES[number] for number in picture]
        said = [names[label].split()[0] for label in split.labels]
        assert labels == "scattered" or shown == said


def test_runs_are_told_apart_by_their_photographs():
    runs = [types.SimpleNamespace(config=small(pictures=3, data_seed=n)) for n in (0, 4, 0)]
    found = photos.by_pictures(runs)
    assert [*found.values()] == [[runs[0], runs[2]], [runs[1]]]
    assert [len(name.split(", ")) for name in found] == [3, 3] and "_" not in "".join(found)


def test_pictures_load_without_network_and_gray_ones_have_equal_channels(monkeypatch, pictures):
    import socket

    def no_network(*_):
        raise AssertionError("a picture was looked for on the network")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    for name, picture in zip(photos.PICTURES, pictures, strict=True):
        assert torch.equal(photos.read(name), picture) and picture.dtype == torch.uint8 and len(picture) == 3
    moon = pictures[photos.PICTURES.index("moon")]
    assert torch.equal(moon[0], moon[1]) and torch.equal(moon[0], moon[2])


def test_too_large_patches_are_refused():
    with pytest.raises(ValueError, match="at most image_size=128, not 129"):
        photos.atlas(129)


def test_canvas_moves_to_the_device_as_a_view():
    """Windows overlap: materialized they would be thousands of times the canvas."""
    found = photos.atlas(16)
    assert found.windows.untyped_storage().nbytes() < 1e8 < found.windows.numel()
    last = found.windows[-1]
    assert last.shape == (3, 16, 16) and last.sum() >= 0
