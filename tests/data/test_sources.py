"""Sources of images: true file formats, errors that say what to do, labels, and normalization."""

import dataclasses
import gzip
import os
import pathlib
import pickle
import struct

import numpy as np
import pytest
import torch

from sifting import data, store
from sifting.config import SETTINGS, Config, images_of
from sifting.data import archives, imagenet, pickles
from sifting.data.images import Images, mean_image, normalize_
from sifting.publish import plans, settings
from sifting.store.experiment import experiment_of

TINY = Config(val_images=8, test_images=6, train_images=480, image_size=8, normalize="patch")


def tiny(**fields):
    return dataclasses.replace(TINY, **fields)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SIFTING_DATA", str(tmp_path))
    monkeypatch.setattr(archives, "PACKAGED", {})  # whatever packages this machine has
    return tmp_path


def write_idx(path, array):
    """The format of http://yann.lecun.com/exdb/mnist: zero, zero, type 8, axes; sizes; bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    path.write_bytes(header + array.astype(np.uint8).tobytes())


def write_mnist(home, name, rng):
    for part, count in (("train", 40), ("t10k", 10)):
        labels = np.arange(count) % 10
        images = rng.integers(0, 256, (count, 28, 28))
        images[:, 0, 0], images[:, 0, 1] = labels, 0
        write_idx(home / name / "raw" / f"{part}-images-idx3-ubyte", images)
        write_idx(home / name / "raw" / f"{part}-labels-idx1-ubyte", labels)


def write_batch(path, rng, size, count, first, classes, **fields):
    """A batch whose images carry their label in the first two bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    labels = rng.integers(first, first + classes, count)
    images = rng.integers(0, 256, (count, 3 * size**2)).astype(np.uint8)
    images[:, 0], images[:, 1] = (labels - first) % 256, (labels - first) // 256
    content = {"data": images, "labels": labels.tolist(), **fields}
    path.write_bytes(pickle.dumps(content, protocol=2))
    return images


def write_cifar10(home, rng):
    for name in [*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]:
        write_batch(home / "cifar-10-batches-py" / name, rng, 32, 12, 0, 10, batch_label="part of five")


def write_imagenet(home, size, rng):
    here = home / f"imagenet{size}"
    images = [
        write_batch(here / f"train_data_batch_{n}", rng, size, 3 + n, 1, 1000, mean=np.ones(5))
        for n in range(1, 11)
    ]
    write_batch(here / "val_data", rng, size, 20, 1, 1000)
    return np.concatenate(images)


def write_groups(home, name):
    """The two files that give ImageNet's classes four groups, of 250 each."""
    wnids = [f"n{7919 * k % 10007:08d}" for k in range(1, 1001)]
    lines = [f"{wnid} {number} name_{number}" for number, wnid in enumerate(wnids, 1)]
    (home / name / "map_clsloc.txt").write_text("\n".join(reversed(lines)))
    groups = "\n".join(f"{wnid} group {k // 250}" for k, wnid in enumerate(wnids))
    (home / name / "semantic.txt").write_text(groups)
    return wnids


# what reads the files of a dataset -> function(home, name, rng), which writes a tiny copy of them; the first
# two bytes of every image are its class
COPIES = {
    archives.mnist: lambda home, name, rng: write_mnist(home, "MNIST", rng),
    archives.fashion_mnist: lambda home, name, rng: write_mnist(home, "FashionMNIST", rng),
    archives.cifar10: lambda home, name, rng: write_cifar10(home, rng),
    imagenet.imagenet: lambda home, name, rng: write_imagenet(home, int(name.removeprefix("imagenet")), rng),
}
DOWNLOADED = [name for name, source in data.SOURCES.items() if source.load in COPIES]
SCHEMES = [(name, labels) for name in data.SOURCES for labels in data.schemes(name)]


def provide(name, home, rng, groups=False):
    """Write the files that a dataset needs, if it needs any, and those that give its classes groups."""
    source = data.SOURCES[name]
    if source.load in COPIES:
        COPIES[source.load](home, name, rng)
    if groups and source.groups is imagenet.imagenet_groups:
        write_groups(home, name)


def papers():
    """(dataset, kind of result) -> the first run of the papers' presets that has both.

    Of a dataset that none of them has, the first run with the masks of another.
    """
    found = {}
    for chapter in plans.GROUPS:
        for kind, config in plans.planned(chapter, plans.base(chapter, "paper"), 1):
            found.setdefault((config.dataset, kind), config)
    planned = {name for name, _ in found}
    for name in [name for name in data.SOURCES if name not in planned]:
        found[name, "masks"] = dataclasses.replace(found["imagenet32", "masks"], dataset=name)
    return found


PAPERS = papers()


# --- every source


@pytest.mark.parametrize("name", data.SOURCES)
def test_splits_are_disjoint_and_batches_are_plain_recomputations(name, home, rng):
    provide(name, home, rng)
    found = data.load(tiny(dataset=name, normalize="mean-image"))
    assert found.name == name and found.shape == found.train.images.shape
    assert (len(found.val), len(found.test)) == (8, 6)
    splits = {"train": found.train, "val": found.val, "test": found.test}
    pixels = {split: part.images[:].flatten(1).numpy() for split, part in splits.items()}
    mean = pixels["train"].astype(np.float64).mean(0)
    rows = {split: {row.tobytes() for row in rows} for split, rows in pixels.items()}
    if name in DOWNLOADED:  # random bytes: equal only if the same
        assert len(rows["train"] | rows["val"] | rows["test"]) == sum(map(len, splits.values()))
    for split, part in splits.items():
        assert part.labels.min() >= 0 and part.labels.max() < found.classes
        index = torch.tensor([3, 0, 3])
        x, y = part.batch(index)
        assert x.dtype == torch.float32 and y.dtype == torch.int64
        np.testing.assert_allclose(x, (pixels[split][[3, 0, 3]] - mean) / 255, atol=1e-6)
        assert torch.equal(y, part.labels[index])
    x, _ = found.train.batch(slice(None))
    assert x.mean(0).abs().max() < 1e-5


def shrunk(config):
    """The same with few images, units, steps and levels."""
    most = {
        "val_images": 10, "test_images": 6, "train_images": 52, "batch_size": 26, "steps": 4,
        "rewind_step": 1, "retrain_steps": 3, "evaluations": 1, "levels": 2, "width": 1 / 16, "snapshots": 2,
        "subsets": 2, "probe_images": 20, "cells": 2,
    }  # fmt: skip
    less = {name: min(getattr(config, name), value) for name, value in most.items()}
    if config.clone != "none":  # a Gaussian is fitted to several images of a class
        less |= {"labels": "random", "classes": 2}
    if SETTINGS["width"].unread(vars(config)):
        del less["width"]
        less["widths"] = tuple(min(units, 16) for units in config.widths)
    return dataclasses.replace(config, **less)


@pytest.mark.parametrize(("name", "kind"), PAPERS, ids=map("-".join, PAPERS))
def test_what_the_papers_presets_compute_is_computed_where_their_data_are(name, kind, home, rng, results):
    """Every kind of result on every dataset that it is planned for, from files in the papers' formats."""
    provide(name, home, rng, groups=True)
    config, made = shrunk(PAPERS[name, kind]), experiment_of(kind)
    store.check([config])
    records = list(made.find(config))
    arrays = made.pack(records, config)
    assert 0 < len(records) <= made.level_count(config) and arrays
    assert np.isfinite(arrays.get("test_accuracy", 0)).all()


@pytest.mark.parametrize("name", data.SOURCES)
def test_smaller_fraction_is_a_prefix_of_a_larger_and_leaves_the_rest_alone(name, home, rng):
    provide(name, home, rng)
    whole, half, least = (data.load(tiny(dataset=name, fraction=f)) for f in (1, 0.5, 1e-9))
    assert len(half.train) == round(len(whole.train) / 2) and len(least.train) == 1
    assert torch.equal(half.train.images[:], whole.train.images[: len(half.train)])
    assert torch.equal(half.train.labels, whole.train.labels[: len(half.train)])
    assert torch.equal(half.val.images[:], whole.val.images[:]) and half.classes == whole.classes


@pytest.mark.parametrize("name", DOWNLOADED)
def test_labels_stay_with_their_images(name, home, rng):
    provide(name, home, rng)
    found = data.load(tiny(dataset=name, data_seed=3))
    for part in (found.train, found.val, found.test):
        carried = part.images[:].flatten(1).long()
        assert torch.equal(part.labels, carried[:, 0] + 256 * carried[:, 1])


@pytest.mark.parametrize("name", data.SOURCES)
def test_data_seed_decides_the_order(name, home, rng):
    provide(name, home, rng)
    one, again, other = (data.load(tiny(dataset=name, data_seed=seed)) for seed in (1, 1, 2))
    assert torch.equal(one.train.labels, again.train.labels)
    assert torch.equal(one.val.images[:], again.val.images[:])
    assert not torch.equal(one.val.images[:], other.val.images[:])


def test_digits_are_5000_and_train_does_not_depend_on_what_is_held_out():
    found, less = data.load(Config(dataset="digits")), data.load(tiny(dataset="digits"))
    assert (len(found.train), len(found.val), len(found.test)) == (4000, 500, 500)
    assert torch.equal(found.train.images.where, less.train.images.where)
    splits = (found.train, found.val, found.test)
    everything = torch.cat([part.images.where for part in splits])
    assert torch.equal(everything.sort().values, torch.arange(5000))
    assert torch.cat([part.labels for part in splits]).bincount().tolist() == [500] * 10


# --- what files may do


class Touch:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("protocol", range(5))
def test_a_pickle_runs_nothing(tmp_path, protocol):
    path, victim = tmp_path / "data_batch_1", tmp_path / "victim"
    path.write_bytes(pickle.dumps({"data": Touch(victim), "labels": [1]}, protocol=protocol))
    with pytest.raises(ValueError, match=r"data_batch_1 .*refused: it would run \w+\.system"):
        pickles.read_pickle(path)
    assert not victim.exists()
    pickle.loads(path.read_bytes())  # the threat is real
    assert victim.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"cnumpy\nload\n.",
        b"cnumpy.core.multiarray\nfromfile\n.",
        b"cnumpy\nndarray.__class__\n.",
        b"\x80\x04\x8c\x05numpy\x8c\x10ndarray.__base__\x93.",
        b"cnumpy\ndtype\n(S'O8'\ntR.",
        b"cnumpy\nndarray\n((I1\ntS'O'\ntR.",
        b"c_codecs\nencode\n(S'a'\nS'rot13'\ntR.",
        b"]q\x00.",
        b"",
        b"\x80\x02}q\x00X",
    ],
)
def test_other_pickles_are_refused(tmp_path, content):
    (tmp_path / "val_data").write_bytes(content)
    with pytest.raises(ValueError, match="val_data cannot be read"):
        pickles.read_pickle(tmp_path / "val_data")


@pytest.mark.parametrize("protocol", range(5))
@pytest.mark.parametrize("kind", ["u1", "<i8", ">i4", "<f4", ">f8"])
def test_arrays_are_read_as_numpy_reads_them(tmp_path, protocol, kind):
    array = np.asfortranarray((np.arange(24).reshape(2, 3, 4) * 9).astype(kind))
    content = {"a": array, b"b": array[0].copy(), "c": [1, "d"]}
    (tmp_path / "x").write_bytes(pickle.dumps(content, protocol=protocol))
    found = pickles.read_pickle(tmp_path / "x")
    np.testing.assert_array_equal(found["a"], array)
    np.testing.assert_array_equal(found["b"], array[0])
    assert found["c"] == [1, "d"] and found["a"].dtype == array.dtype


def test_a_pickle_of_python_2_is_read(tmp_path):
    """As CIFAR-10's own files were written: every text and the array's bytes are Python 2 strings."""
    kind = b"cnumpy\ndtype\n(S'u1'\nI0\nI1\ntR(I3\nS'|'\nNNNI-1\nI-1\nI0\ntb"
    state = b"(I1\n(I2\nI2\nt" + kind + b"I00\nS'\\x01\\xff\\x00A'\ntb"
    array = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR" + state
    (tmp_path / "x").write_bytes(b"(dS'data'\n" + array + b"sS'labels'\n(lI3\naI4\nas.")
    found = pickles.read_pickle(tmp_path / "x")
    assert found["data"].tolist() == [[1, 255], [0, 65]] and found["labels"] == [3, 4]


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_gzipped_files_and_those_of_a_package_are_read_like_plain_ones(name, home, monkeypatch):
    folder = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST"}[name]
    write_mnist(home, folder, np.random.default_rng(0))
    plain = data.load(tiny(dataset=name))
    packaged = home / "package"
    packaged.mkdir()
    for file in (home / folder / "raw").iterdir():
        (packaged / f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
        file.unlink()
    monkeypatch.setattr(archives, "PACKAGED", {folder: (packaged,)})
    archives._idx.cache_clear()
    found = data.load(tiny(dataset=name))
    for split in ("train", "val", "test"):
        one, other = getattr(plain, split), getattr(found, split)
        index = torch.arange(len(one.labels))
        assert torch.equal(one.labels, other.labels) and torch.equal(one.images[index], other.images[index])


# --- files that are missing or damaged


@pytest.mark.parametrize("name", data.SOURCES)
@pytest.mark.parametrize("look", [data.load, data.check], ids=["load", "check"])
def test_missing_files_say_what_to_fetch_and_where_to_put_it(name, look, home):
    try:
        look(tiny(dataset=name))
    except FileNotFoundError as error:
        told = str(error)
        assert str(home) in told and "SIFTING_DATA" in told
        assert "https://" in told or "download=True" in told
        assert name in DOWNLOADED, "its files are tested on a tiny copy: write one, and name it in COPIES"
    else:
        assert name not in DOWNLOADED, "it needs no files"


def test_data_folder_is_beside_the_package_unless_told(monkeypatch):
    monkeypatch.delenv("SIFTING_DATA", raising=False)
    assert archives.folder().name == "data" and (archives.folder().parent / "sifting" / "store").exists()


@pytest.mark.parametrize("name", DOWNLOADED)
@pytest.mark.parametrize("keep", [0, 5, 0.5])
def test_files_cut_short_are_named(name, keep, home, rng):
    provide(name, home, rng)
    for path in sorted(home.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            path.write_bytes(content[: keep if keep != 0.5 else len(content) // 2])
            with pytest.raises(ValueError, match=f"{path.name} "):
                data.load(tiny(dataset=name))
            path.write_bytes(content)
    data.load(tiny(dataset=name))


def test_labels_that_are_not_of_the_images_are_refused(home, rng):
    write_mnist(home, "MNIST", rng)
    path = home / "MNIST" / "raw" / "t10k-labels-idx1-ubyte"
    for labels in (np.arange(9), np.arange(10) + 1):
        write_idx(path, labels)
        with pytest.raises(ValueError, match="t10k-labels-idx1-ubyte does not label"):
            data.load(tiny(dataset="mnist"))


@pytest.mark.parametrize(
    "change",
    [
        {"labels": [0] * 12},
        {"labels": [1001] * 12},
        {"labels": [1]},
        {"labels": None},
        {"labels": []},
        {"data": 3},
        {"data": np.zeros((12, 768), np.uint8)},
        {"data": np.zeros((12, 3072), np.int64)},
    ],
)
def test_batches_of_something_else_are_refused(change, tmp_path, rng):
    write_batch(tmp_path / "val_data", rng, 32, 12, 1, 1000, **change)
    with pytest.raises(ValueError, match="val_data is no batch of 32 x 32 images in 1000 classes"):
        archives.batch(tmp_path / "val_data", 32, 1, 1000)


# --- ImageNet's converted files


@pytest.fixture
def kept(tmp_path_factory, monkeypatch):
    """An empty cache, and a process that has read nothing yet."""
    folder = tmp_path_factory.mktemp("kept")
    monkeypatch.setenv("SIFTING_CACHE", str(folder))
    imagenet._imagenet.cache_clear()
    return folder


def read_anew(monkeypatch):
    """The images, as a process reads them that may not convert anything."""
    imagenet._imagenet.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(imagenet, "_convert", lambda *_: pytest.fail("converted twice"))
        return data.load(tiny(dataset="imagenet32"))


def test_imagenet_is_converted_once_and_mapped(home, kept, rng, monkeypatch):
    images = write_imagenet(home, 32, rng)
    first = data.load(tiny(dataset="imagenet32"))
    assert np.array_equal(first.train.images.source.flatten(1).numpy(), images)
    assert first.classes == 1000 and len(first.train) == sum(range(4, 14))
    again = read_anew(monkeypatch)
    assert torch.equal(first.train.images[:], again.train.images[:])
    assert torch.equal(first.test.labels, again.test.labels)
    assert not list(kept.rglob("*.part*"))


def test_converted_files_may_lie_in_place_of_the_archive(home, kept, rng, monkeypatch):
    images = write_imagenet(home, 32, rng)
    data.load(tiny(dataset="imagenet32"))
    for batch in (home / "imagenet32").glob("*_data*"):
        batch.unlink()
    for file in [*kept.glob("*.bytes"), *kept.glob("*.npy")]:
        _, half, _, kind = file.name.split("-")
        file.rename(home / "imagenet32" / f"{half}-{kind}")
    assert np.array_equal(read_anew(monkeypatch).train.images.source.flatten(1).numpy(), images)


def test_another_archive_in_the_same_place_is_converted_anew(home, kept, rng):
    for _ in range(2):
        images = write_imagenet(home, 32, rng)
        imagenet._imagenet.cache_clear()
        assert np.array_equal(
            data.load(tiny(dataset="imagenet32")).train.images.source.flatten(1).numpy(), images
        )


def test_nothing_is_written_where_the_data_lie(home, kept, rng):
    """They may lie in a folder that may only be read, as those do that a cluster's users share."""

    def there():
        return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in home.rglob("*")}

    for name in DOWNLOADED:
        provide(name, home, rng, groups=True)
    before = there()
    for path in before:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        sets = [data.load(tiny(dataset=name, train_images=30)) for name in DOWNLOADED]
        assert there() == before and all(len(some.train) for some in sets)
    finally:
        for path in before:
            path.chmod(0o755)
    maps = pathlib.Path("/proc/self/maps")
    if maps.exists():  # whoever may write anything, as root, does not open the files for it either
        lines = [line for line in maps.read_text(encoding="utf-8").splitlines() if str(kept) in line]
        assert lines and all(line.split()[1] == "r--s" for line in lines)


def test_a_cache_that_cannot_be_written_is_named(home, tmp_path, rng, monkeypatch):
    write_imagenet(home, 32, rng)
    (tmp_path / "file").touch()
    monkeypatch.setenv("SIFTING_CACHE", str(tmp_path / "file"))
    imagenet._imagenet.cache_clear()
    with pytest.raises(OSError, match="images of imagenet32 are kept there .*SIFTING_CACHE names another"):
        data.load(tiny(dataset="imagenet32"))


def test_interrupted_conversion_leaves_nothing_behind(home, kept, rng):
    write_imagenet(home, 32, rng)
    (home / "imagenet32" / "train_data_batch_7").write_bytes(b"\x80")
    with pytest.raises(ValueError, match="train_data_batch_7"):
        data.load(tiny(dataset="imagenet32"))
    assert {file.suffix for file in kept.iterdir()} <= {".lock"}


def test_damaged_conversion_says_delete(home, kept, rng):
    write_imagenet(home, 32, rng)
    data.load(tiny(dataset="imagenet32"))
    imagenet._imagenet.cache_clear()
    [converted] = kept.glob("imagenet32-train-*.bytes")
    converted.write_bytes(converted.read_bytes()[:-1])
    with pytest.raises(ValueError, match="train-.*-images.bytes has been damaged; delete it"):
        data.load(tiny(dataset="imagenet32"))


def test_more_held_out_images_than_there_are_is_an_error(home, rng):
    write_imagenet(home, 32, rng)
    write_cifar10(home, rng)
    with pytest.raises(ValueError, match="val_images=20 and test_images=6 leave nothing of 20 images"):
        data.load(tiny(dataset="imagenet32", val_images=20))
    with pytest.raises(ValueError, match="leave nothing of 60 images of cifar10"):
        data.load(tiny(dataset="cifar10", val_images=60))


# --- labels


def test_schemes_of_photos():
    fine = data.load(tiny())
    assert fine.classes == 240
    schemes = ("fine", "picture", "semantic", "random")
    names = {labels: data.class_names(tiny(labels=labels)) for labels in schemes}
    assert [len(some) for some in names.values()] == [240, 15, 5, 10]
    assert names["picture"] == list(data.PICTURES) and names["semantic"] == list(data.SEMANTIC)
    assert names["fine"][17] == f"{data.PICTURES[1]} 0,1"
    for labels, expected in {
        "picture": fine.train.labels // 16,
        "semantic": fine.train.labels // 48,
        "random": fine.train.labels % 10,
    }.items():
        other = data.load(tiny(labels=labels))
        assert torch.equal(other.train.labels, expected) and other.classes == len(names[labels])
        assert torch.equal(other.train.images.where, fine.train.images.where)


def test_random_labels_in_as_many_classes_as_asked():
    fine, seven = data.load(tiny()), data.load(tiny(labels="random", classes=7))
    assert torch.equal(seven.val.labels, fine.val.labels % 7) and seven.classes == 7
    assert data.load(tiny(labels="random", classes=240)).classes == 240


@pytest.mark.parametrize(
    "fields, told",
    [
        ({"labels": "random", "classes": 241}, "classes=241, .*random labels of photos have 240"),
        ({"labels": "semantic", "classes": 6}, "classes=6, .*semantic labels of photos have 5"),
        ({"labels": "picture", "classes": 3}, "classes=3, .*picture labels of photos have 15"),
        ({"labels": "random", "classes": 11, "dataset": "digits"}, "classes=11, .*of digits have 10"),
        ({"labels": "semantic", "dataset": "digits"}, "of digits 'semantic'; choose from fine, random"),
        ({"labels": "picture", "dataset": "cifar10"}, "of cifar10 'picture'; choose from fine, random"),
        ({"dataset": "photo"}, r"'photo' \(did you mean photos\?\); choose from .*photos"),
    ],
)
def test_impossible_labels_raise_with_the_choices(fields, told):
    with pytest.raises(ValueError, match=told):
        data.load(tiny(**fields))


def test_imagenet_groups_come_from_your_file(home, rng):
    write_imagenet(home, 32, rng)
    config = tiny(dataset="imagenet32", labels="semantic")
    with pytest.raises(FileNotFoundError, match="map_clsloc.txt, semantic.txt not found"):
        data.load(config)
    wnids = write_groups(home, "imagenet32")
    found, fine = data.load(config), data.load(tiny(dataset="imagenet32"))
    assert found.classes == 4 and torch.equal(found.train.labels, fine.train.labels // 250)
    (home / "imagenet32" / "semantic.txt").write_text(f"{wnids[0]} dog\n")
    with pytest.raises(ValueError, match="no group for 999 classes"):
        data.load(config)


@pytest.mark.parametrize("name", data.SOURCES)
def test_every_class_of_a_dataset_has_a_name_and_every_image_a_class(name, home, rng):
    provide(name, home, rng)
    config = tiny(dataset=name)
    names = data.SOURCES[name].own(config)
    assert len(set(names)) == len(names) == data.load(config).classes
    found = data.SOURCES[name].load(config, "cpu")
    assert all(classes.min() >= 0 and classes.max() < len(names) for _, classes in found.values())


def test_the_labels_that_can_be_chosen_are_those_of_the_datasets():
    assert set(SETTINGS["labels"].choices) == {labels for _, labels in SCHEMES}


@pytest.mark.parametrize(("name", "labels"), SCHEMES, ids=map("-".join, SCHEMES))
def test_labels_give_every_class_of_a_dataset_one_of_theirs_and_move_no_image(name, labels, home, rng):
    provide(name, home, rng, groups=True)
    config = tiny(dataset=name, labels=labels)
    if not SETTINGS["classes"].unread(vars(config)):
        config = dataclasses.replace(config, classes=5)
    plain, found = data.load(tiny(dataset=name)), data.load(config)
    names, given = data.class_names(config), data.labels(config)
    assert found.classes == len(names) == len(set(names)) and set(given) == set(names)
    assert len(given) == len(data.SOURCES[name].own(config)) and data.labels(config) == given
    for split, (images, fine) in data.SOURCES[name].load(images_of(config), "cpu").items():
        part = getattr(found, split)
        assert torch.equal(part.images.where, images.where)
        assert torch.equal(part.images.where, getattr(plain, split).images.where)
        assert [names[number] for number in part.labels] == [given[number] for number in fine]


@pytest.mark.parametrize("name", data.SOURCES)
def test_a_dataset_that_is_registered_is_known_without_its_files(name, home):
    store.check([tiny(dataset=name)], here=False)
    assert data.class_names(tiny(dataset=name)) and name in settings.registered(SETTINGS["dataset"])


def test_a_dataset_is_registered_in_one_place(monkeypatch):
    """Its names depend on the settings, as those of a folder of pictures would."""

    def load(config, device):
        pool = torch.arange(60 * 16, device=device).view(60, 1, 4, 4).to(torch.uint8)
        parts = zip(("train", "val", "test"), torch.arange(60, device=device).split(20), strict=True)
        return {split: (Images(pool, where), where % 3) for split, where in parts}

    def names(config):
        return [f"{number} of {config.data_seed}" for number in range(3)]

    config = tiny(dataset="stripes", data_seed=7)
    with pytest.raises(ValueError, match="unknown dataset 'stripes'; choose from .*photos"):
        store.check([config])
    monkeypatch.setitem(data.SOURCES, "stripes", data.Source(load, names))
    store.check([config])
    with pytest.raises(ValueError, match=r"'stripe' \(did you mean stripes\?\); choose from .*, stripes$"):
        store.check([tiny(dataset="stripe")])
    with pytest.raises(ValueError, match="unknown labels of stripes 'semantic'; choose from fine, random$"):
        store.check([tiny(dataset="stripes", labels="semantic")])
    assert "stripes" in settings.told("dataset")
    assert data.load(config).classes == 3 and data.class_names(config) == ["0 of 7", "1 of 7", "2 of 7"]
    assert [row[2:] for row in data.composition(config)] == [(1, 7), (1, 7), (1, 6)]
    assert data.load(tiny(dataset="stripes", labels="random", classes=2)).classes == 2
    assert data.load(tiny(dataset="stripes", clone="pixels")).shape == (1, 4, 4)


# --- rotated and translated images


@pytest.mark.parametrize("transform", SETTINGS["transform"].choices)
def test_whatever_is_done_to_images_they_keep_their_classes_and_held_out_ones_their_number(transform):
    plain, found, again = (
        data.load(tiny(dataset="digits", transform=name)) for name in ("none", transform, transform)
    )
    assert (found.shape, found.classes) == (plain.shape, plain.classes)
    for split in ("train", "val", "test"):
        one, part, same = (getattr(some, split) for some in (plain, found, again))
        assert torch.equal(part.labels, one.labels) and len(part) % len(one) == 0
        assert len(part) == len(one) or transform in data.MOVED and split == "train"
        index = torch.arange(0, len(part), 1 + len(part) // 50)
        x, y = part.batch(index)
        assert torch.equal(x, same.batch(index)[0]) and x.isfinite().all()
        assert torch.equal(y, one.labels[index % len(one)])


@pytest.mark.parametrize("transform", data.MOVED)
def test_what_is_measured_is_measured_on_images_that_are_not_moved(transform):
    plain, still = data.load(tiny()).train, data.load_still(tiny(transform=transform)).train
    assert len(still) == len(plain) < len(data.load(tiny(transform=transform)).train)
    every = slice(0, len(plain))
    assert torch.equal(still.batch(every)[0], plain.batch(every)[0])


def test_translated_images_are_every_image_rolled_to_every_place():
    pictures = torch.arange(2 * 3 * 4 * 5, dtype=torch.uint8).view(2, 3, 4, 5)
    moved = data.Translated(pictures, torch.arange(2))
    assert len(moved) == 2 * 4 * 5
    for number in range(len(moved)):
        shift, image = divmod(number, 2)
        expected = torch.roll(pictures[image], divmod(shift, 5), (1, 2))
        assert torch.equal(moved[torch.tensor([number])][0], expected)
    split = data.Split(moved, torch.tensor([7, 8]))
    assert split.batch(torch.tensor([0, 1, 2, 39]))[1].tolist() == [7, 8, 7, 8] and len(split) == 40


def test_rotated_images_turn_counterclockwise_and_by_nothing_stay_as_they_are():
    pictures = torch.randint(
        0, 256, (2, 3, 7, 7), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    every = torch.arange(2)
    assert torch.equal(data.Rotated(pictures, every, 0.0, 7)[every], pictures)
    assert torch.equal(data.Rotated(pictures, every, 90.0, 7)[every], torch.rot90(pictures, 1, (2, 3)))
    assert torch.equal(data.Rotated(pictures, every, 0.0, 3)[every], pictures[:, :, 2:5, 2:5])


def test_transforms_reach_the_images_that_they_are_for():
    plain, turned, moved = (data.load(tiny(transform=name)) for name in ("none", "rotate", "translate"))
    assert turned.shape == plain.shape == moved.shape
    assert len(moved.train) == len(plain.train) * 64 and len(moved.val) == len(plain.val)
    assert torch.equal(moved.val.images[:5], plain.val.images[:5])
    assert (turned.train.images[:50] > 0).float().mean() > 0.9, "photos are cut larger: no corner is empty"
    assert all(isinstance(split.images, data.Rotated) for split in (turned.train, turned.val, turned.test))


# --- batches


@pytest.mark.parametrize("normalize", data.NORMALIZE)
def test_an_image_is_normalized_by_itself_and_the_training_images_alone(normalize):
    found = data.load(tiny(normalize=normalize))
    fewer = data.load(tiny(normalize=normalize, val_images=4))
    for part in (found.train, found.val, found.test):
        x = part.batch(slice(None))[0]
        assert x.isfinite().all() and x.std() > 0
        assert torch.equal(part.batch(torch.tensor([3, 1]))[0], x[[3, 1]])
        same = part.mean is None or torch.equal(part.mean, found.train.mean)
        assert same and part.scale == found.train.scale
    assert torch.equal(fewer.train.batch(slice(None))[0], found.train.batch(slice(None))[0])


def test_patch_normalization_removes_mean_and_contrast():
    pixels = torch.randint(256, (50, 300), generator=torch.Generator().manual_seed(0)).float()
    x = normalize_(pixels.clone())
    assert x.mean(1).abs().max() < 1e-5
    sd = pixels.double().std(1, correction=0) / 255
    np.testing.assert_allclose(x.std(1, correction=0), sd / (sd + 0.03), rtol=1e-5)
    brighter = normalize_(pixels * 0.5 + 64)
    assert torch.corrcoef(torch.stack([x[0], brighter[0]]))[0, 1] > 1 - 1e-6
    assert normalize_(torch.full((2, 12), 200.0)).abs().max() == 0


def test_mean_image_is_exact_over_chunks():
    source = torch.randint(256, (103, 3, 2, 2), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    images = Images(source, torch.arange(103).flip(0))
    expected = source.double().mean(0).flatten().float()
    assert torch.equal(mean_image(images), expected) and torch.equal(mean_image(images, chunk=10), expected)


def test_images_are_gathered_as_plain_indexing_would():
    source = torch.randint(256, (30, 3, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    images = Images(source, torch.tensor([5, 2, 9, 9]))
    for index in (torch.tensor([0, 3, 3]), slice(1, 3), torch.tensor([True, False, True, False])):
        assert torch.equal(images[index], source[images.where[index]])
    images[:].zero_()
    assert source[5].any()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", ["photos", "digits"])
@pytest.mark.parametrize("normalize", data.NORMALIZE)
def test_batches_on_the_device_are_those_of_the_cpu(name, normalize):
    here, there = (data.load(tiny(dataset=name, normalize=normalize), device) for device in ("cpu", "cuda"))
    index = torch.arange(100)
    (x, y), (x2, y2) = here.train.batch(index), there.train.batch(index.cuda())
    assert x2.is_cuda and torch.equal(y, y2.cpu())
    torch.testing.assert_close(x, x2.cpu(), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("scheme, kept", [("half", 2 / 5), ("partial", 1 / 2)])
def test_tasks_between_semantic_and_random_keep_sizes_and_a_part_of_the_meaning(scheme, kept):
    semantic, mixed = (data.labels(tiny(labels=name)) for name in ("semantic", scheme))
    assert sorted(mixed) == sorted(semantic), "groups keep their sizes"
    same = np.mean([a == b for a, b in zip(semantic, mixed)])
    assert same == pytest.approx(kept + (1 - kept) / (3 if scheme == "half" else 5), abs=0.06)
    assert mixed == data.labels(tiny(labels=scheme)), "the task is the same in every run"
    if scheme == "half":
        assert mixed[: 2 * 48] == semantic[: 2 * 48]
    else:
        assert all(
            sum(a == b for a, b in zip(semantic[n : n + 48], mixed[n : n + 48])) >= 24
            for n in range(0, 240, 48)
        )


def test_scattered_labels_belong_to_blocks_and_not_to_regions():
    fine, found = (
        data.load(tiny(train_images=20_000)),
        data.load(tiny(labels="scattered", train_images=20_000)),
    )
    assert torch.equal(fine.train.images.where, found.train.images.where) and found.classes == 10
    counts = torch.zeros(240, 10).index_put_(
        (fine.train.labels, found.train.labels), torch.ones(20_000), accumulate=True
    )
    share = counts.max(1).values / counts.sum(1)
    assert share.mean() < 0.35, "a region has many classes"
    cut = data.provenance(tiny(), found.train.images.where)
    place = {}
    for picture, scale, y, x, label in zip(
        cut["picture"], cut["scale"], cut["y"], cut["x"], found.train.labels.tolist()
    ):
        place.setdefault((picture, scale, y, x), set()).add(label)
    assert all(len(labels) == 1 for labels in place.values()), "one patch, one class"
