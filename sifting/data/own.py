"""Images of one's own: a folder of them, or arrays that were registered; see config.own for their names.

A folder has a folder for each class, or folders train, and test or val or both, that have these. What is not
given of validation and test images is taken from the training images, at most a tenth of them each.
"""

import functools
import io
import pathlib

import numpy as np
import torch
from torch import Tensor

from sifting import cache
from sifting.config import Config, own
from sifting.data.images import Images, Source

SPLITS = ("train", "val", "test")
SHARE = 10  # of the training images, one in so many is for validation, and one for testing
Pools = dict[
    str, tuple[np.ndarray, np.ndarray]
]  # split -> images, uint8 (n, channels, height, width), classes


def source(name: str) -> Source:
    """The dataset of a name of one's own."""
    return Source(load, lambda config: _read(config.dataset)[1], look=lambda config: _read(config.dataset))


def load(config: Config, device: str = "cpu") -> dict[str, tuple[Images, Tensor]]:
    """Training, validation and test images, by config.val_images, test_images and data_seed.

    Raises ValueError for too few images.
    """
    pools, _ = _read(config.dataset)
    orders = {
        split: np.random.default_rng(config.data_seed).permutation(len(labels))
        for split, (_, labels) in pools.items()
    }
    train, most = orders["train"], len(orders["train"]) // SHARE
    for split, count in (("val", config.val_images), ("test", config.test_images)):
        if split not in orders:
            orders[split], train = train[: min(count, most)], train[min(count, most) :]
    orders = {
        "train": train,
        "val": orders["val"][: config.val_images],
        "test": orders["test"][: config.test_images],
    }
    found, tensors = {}, {}
    for split, order in orders.items():
        name = split if split in pools else "train"
        if len(order) < (2 if split == "train" else 1):
            raise ValueError(
                f"{config.dataset} has too few images for {split}: {len(pools[name][1])} of {name}; "
                f"{2 * SHARE} or more are needed where others are taken from them"
            )
        if name not in tensors:
            tensors[name] = tuple(torch.from_numpy(np.array(values)).to(device) for values in pools[name])
        where = torch.from_numpy(order).to(device)
        found[split] = Images(tensors[name][0], where), tensors[name][1][where]
    return found


@functools.lru_cache(maxsize=2)
def _read(name: str) -> tuple[Pools, tuple[str, ...]]:
    """Images by split, and the names of their classes.

    Raises ValueError for others than those of the name.
    """
    if not name.startswith(own.FOLDER):
        with np.load(io.BytesIO(own.kept(name, ".npz").read_bytes())) as arrays:
            splits = [split for split in SPLITS if f"{split}/images" in arrays]
            pools = {split: (arrays[f"{split}/images"], arrays[f"{split}/labels"]) for split in splits}
            return pools, tuple(map(str, arrays["names"]))
    text, _, digest = name.rpartition("@")
    if own.stamp(text, folder=True) != name:
        raise ValueError(f"the images of {text} are others than when this began; give dataset={text} anew")
    path = pathlib.Path(text.removeprefix(own.FOLDER))
    files = own.pictures(path)
    parts = [file.relative_to(path).parts for file in files]
    split = {part[0] for part in parts} <= {*SPLITS} and all(len(part) > 2 for part in parts)
    if min(map(len, parts)) < 2:
        raise ValueError(f"{path} needs a folder for each class; {files[0].name} is in none")
    places = [part if split else ("train", *part) for part in parts]
    names = tuple(sorted({place[1] for place in places}))
    if "train" not in {place[0] for place in places} or len(names) < 2:
        raise ValueError(f"{path} needs two classes or more to train on, not {', '.join(names)}")
    images = cache.array(f"images-{digest}", lambda: _pixels(files))
    pools = {}
    for split in SPLITS:
        mine = [number for number, place in enumerate(places) if place[0] == split]
        if mine:
            pools[split] = images[mine], np.array([names.index(places[n][1]) for n in mine])
    return pools, names


def _pixels(files: list[pathlib.Path]) -> np.ndarray:
    """uint8 (images, channels, height, width): one channel where all are gray, else red, green and blue."""
    from PIL import Image

    opened = []
    for file in files:
        try:
            with Image.open(file) as image:
                image.load()
                opened.append(image)
        except (OSError, SyntaxError, ValueError) as error:
            raise ValueError(f"{file} cannot be read as an image ({error})") from None
        if image.size != opened[0].size:
            sizes = [" x ".join(map(str, one.size)) for one in (opened[0], image)]
            raise ValueError(
                f"images of one size are needed; {files[0]} is {sizes[0]}, and {file} {sizes[1]}"
            )
    mode = "L" if all(image.mode in ("1", "L") for image in opened) else "RGB"
    arrays = np.stack([np.asarray(image.convert(mode)) for image in opened])
    return np.ascontiguousarray(arrays[:, None] if mode == "L" else arrays.transpose(0, 3, 1, 2))


def checked(given) -> tuple[Pools, tuple[str, ...]]:
    """Images and labels as somebody gives them, and names of the classes.

    given : (images, labels), or split -> (images, labels), of which one is train.
            images : bytes, (n, channels, height, width) or (n, height, width);
            labels : (n,), whole numbers from 0 on, or names

    Raises ValueError, saying what is needed, for anything else.
    """
    splits = given if isinstance(given, dict) else {"train": given}
    if "train" not in splits or not {*splits} <= {*SPLITS}:
        raise ValueError(
            f"images are given by split, as {', '.join(SPLITS)}, not {', '.join(map(str, splits))}"
        )
    found = {}
    for split, pair in splits.items():
        try:
            images, labels = (np.asarray(getattr(some, "numpy", lambda some=some: some)()) for some in pair)
        except (TypeError, ValueError):
            raise ValueError(f"{split} is to be a pair of arrays, (images, labels)") from None
        if images.dtype != np.uint8:
            raise ValueError(
                f"images are needed as bytes from 0 to 255 (uint8), not {images.dtype}: they are normalized "
                "later, see the setting normalize"
            )
        images = images[:, None] if images.ndim == 3 else images
        if images.ndim != 4 or labels.shape != images.shape[:1]:
            raise ValueError(
                "images (n, channels, height, width) and labels (n,) are needed, not "
                f"{images.shape} and {labels.shape}"
            )
        found[split] = images, labels
    shapes = {images.shape[1:] for images, _ in found.values()}
    if len(shapes) > 1:
        raise ValueError(f"splits need images of one shape, not {' and '.join(map(str, sorted(shapes)))}")
    if empty := [split for split, (images, _) in found.items() if not images.size]:
        raise ValueError(f"there are no images in {', '.join(empty)}")
    labels = np.concatenate([labels for _, labels in found.values()])
    if labels.dtype.kind not in "iuU":
        raise ValueError(f"labels are whole numbers from 0 on, or names, not {labels.dtype}")
    if labels.dtype.kind != "U" and (labels.min() < 0 or labels.max() > 9999):
        raise ValueError(f"labels are whole numbers from 0 on, not from {labels.min()} to {labels.max()}")
    names = sorted({*labels.tolist()}) if labels.dtype.kind == "U" else list(range(labels.max() + 1))
    if len(names) < 2:
        raise ValueError("images of two classes or more are needed")
    pools = {
        split: (np.ascontiguousarray(images), np.array([names.index(label) for label in labels.tolist()]))
        for split, (images, labels) in found.items()
    }
    return pools, tuple(map(str, names))


def register(given, name: str = "images") -> str:
    """Keep images and labels, see `checked`, where who computes finds them; returns the dataset's name."""
    pools, names = checked(given)
    arrays = {"names": np.array(names)}
    for split, (images, labels) in pools.items():
        arrays |= {f"{split}/images": images, f"{split}/labels": labels}
    digest = own.digest_of_arrays(arrays)
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    own.keep(f"{name}@{digest}", ".npz", content.getvalue())
    return f"{name}@{digest}"
