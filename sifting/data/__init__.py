"""Images as tensors on a device: every source, and what counts as a class."""

import dataclasses
import math

import numpy as np
import torch

from sifting.config import FIELDS, Config, apart_from, choose, key
from sifting.data import archives, clones, fields, photos
from sifting.data.images import (
    Cropped,
    Dataset,
    Images,
    Rotated,
    Split,
    Translated,
    mean_image,
    moments,
    normalize_,
)
from sifting.data.photos import PICTURES, SEMANTIC, provenance
from sifting.data.tasks import NAMES, SCHEMES, class_names, labels

ANGLE = 20  # degrees, of transform "rotate"; Pellegrini & Biroli 2022, appendix C.4
MOVED = {"translate": Translated, "crop-flip": Cropped}  # transform -> training images, anew in every batch

__all__ = [
    "LOADERS",
    "NAMES",
    "SCHEMES",
    "PICTURES",
    "SEMANTIC",
    "Cropped",
    "Dataset",
    "Images",
    "Rotated",
    "Split",
    "Translated",
    "class_names",
    "composition",
    "labels",
    "load",
    "load_still",
    "mean_image",
    "normalize_",
    "normalized",
    "provenance",
    "samples",
]


def load(config: Config, device: str = "cpu") -> Dataset:
    """The images that `config` asks for, as bytes on `device`; batches are drawn, cast and normalized there.

    config.image_size counts for photos only: other images have the size that they have.

    Raises ValueError for an unknown dataset, labels that it does not have, or more classes or held-out
    images than it has; FileNotFoundError, saying what to fetch and where to put it, for missing files.
    """
    choose("dataset", config.dataset, LOADERS)
    names = class_names(config)
    classes = torch.tensor([names.index(name) for name in labels(config)], device=device)
    found = LOADERS[config.dataset](_with_margin(config), device)
    if config.transform == "rotate":
        size = config.image_size if config.dataset == "photos" else found["train"][0].shape[1]
        found = {
            split: (Rotated(some.source, some.where, ANGLE, size), fine)
            for split, (some, fine) in found.items()
        }
    images, fine = found["train"]
    count = max(1, round(config.fraction * len(fine)))
    images = dataclasses.replace(images, where=images.where[:count])
    mean, scale = _normalization(config.normalize, images)
    if config.transform in MOVED:
        images = MOVED[config.transform](images.source, images.where)
    found["train"] = images, fine[:count]
    splits = {split: Split(some, classes[fine], mean, scale) for split, (some, fine) in found.items()}
    data = Dataset(config.dataset, images.shape, len(names), **splits)
    if config.clone == "none":
        return data
    same = f"clone-{key(apart_from(config, set(FIELDS) - set(_SHOWN)))}"
    return clones.clone(data, config.clone, config.normalize, same, config.data_seed)


def load_still(config: Config, device: str = "cpu") -> Dataset:
    """The same, with training images as they are where config.transform moves them anew in every batch: what is said of a network is measured on these."""
    moved = config.transform in MOVED
    return load(dataclasses.replace(config, transform="none") if moved else config, device)


# what images and their classes depend on
_SHOWN = (
    "dataset", "image_size", "labels", "classes", "fraction", "train_images", "val_images", "test_images",
    "normalize", "clone", "gain", "data_seed",
)  # fmt: skip


def _normalization(name: str, images: Images) -> tuple[torch.Tensor | None, float]:
    """Mean and scale of a Split."""
    if name == "mean-image":
        return mean_image(images), 255
    if name == "patch":
        return None, 255
    mean, scale = moments(images) if name == "pixels" else (float(clones.MIDDLE), clones.STEPS["fixed"])
    return torch.full((math.prod(images.shape),), mean, device=images.where.device), scale


def _with_margin(config: Config) -> Config:
    """Photos are cut larger before they are turned, so that no corner is empty."""
    if config.transform != "rotate" or config.dataset != "photos":
        return config
    turn = math.radians(ANGLE)
    return dataclasses.replace(
        config, image_size=math.ceil(config.image_size * (math.cos(turn) + math.sin(turn)))
    )


def samples(config: Config, count: int = 8) -> dict[str, np.ndarray]:
    """The first `count` training images of every class: class -> uint8 (count, channels, height, width)."""
    split = load(config).train
    found = {}
    for number, name in enumerate(class_names(config)):
        mine = (split.labels == number).nonzero().squeeze(1)[:count]
        found[name] = split.images[mine].numpy()
    return found


def normalized(config: Config, count: int) -> np.ndarray:
    """`count` training images as a network sees them, of one class after another: float32 (count, channels, height, width)."""
    data = load(config)
    places = [
        (data.train.labels == number).nonzero().squeeze(1)[: -(-count // data.classes)]
        for number in range(data.classes)
    ]
    return data.train.batch(torch.cat(places)[:count])[0].view(-1, *data.shape).numpy()


def composition(config: Config) -> list[tuple[str, str, int, int]]:
    """What each class is made of: its name, the first words of its fine classes, how many these are, training images."""
    split, rows = load(config).train, []
    for number, name in enumerate(class_names(config)):
        fine = [words for words, group in zip(NAMES[config.dataset], labels(config)) if group == name]
        kinds = dict.fromkeys(words.split()[0] for words in fine)
        rows.append((name, ", ".join(kinds), len(fine), int((split.labels == number).sum())))
    return rows


# dataset -> function(config, device), split -> images and fine labels
LOADERS = {
    "photos": photos.load,
    "fields": fields.load,
    "digits": archives.digits,
    "mnist": archives.mnist,
    "fashion-mnist": archives.fashion_mnist,
    "cifar10": archives.cifar10,
    "imagenet32": archives.imagenet,
    "imagenet64": archives.imagenet,
}
