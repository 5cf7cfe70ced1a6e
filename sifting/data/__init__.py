"""Images as tensors on a device: every source, and what counts as a class."""

import dataclasses
import math

import numpy as np
import torch

from sifting.config import Config, images_of, key
from sifting.data import clones, teachers
from sifting.data.images import (
    Cropped,
    Dataset,
    Images,
    Rotated,
    Source,
    Split,
    Translated,
    mean_image,
    moments,
    normalize_,
)
from sifting.data.photos import PICTURES, SEMANTIC, provenance
from sifting.data.tasks import SOURCES, class_names, labels, schemes, source_of

ANGLE = 20  # degrees, of transform "rotate"; Pellegrini & Biroli 2022, appendix C.4
MOVED = {"translate": Translated, "crop-flip": Cropped}  # transform -> training images, anew in every batch

__all__ = [
    "NORMALIZE",
    "PICTURES",
    "SEMANTIC",
    "SOURCES",
    "Cropped",
    "Dataset",
    "Images",
    "Rotated",
    "Source",
    "Split",
    "Translated",
    "check",
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
    "schemes",
]


def load(config: Config, device: str = "cpu") -> Dataset:
    """The images that `config` asks for, as bytes on `device`; batches are drawn, cast and normalized there.

    Nothing but the fields of images reaches the images, so that these fields name what is kept of them.

    Raises ValueError for an unknown dataset, labels that it does not have, or more classes or held-out
    images than it has; FileNotFoundError, saying what to fetch and where to put it, for missing files.
    """
    config = images_of(config)
    names = class_names(config)
    classes = torch.tensor([names.index(name) for name in labels(config)], device=device)
    source = source_of(config.dataset)
    found = source.load(_with_margin(config), device)
    if config.transform == "rotate":
        size = config.image_size if source.larger else found["train"][0].shape[1]
        found = {
            split: (Rotated(some.source, some.where, ANGLE, size), fine)
            for split, (some, fine) in found.items()
        }
    images, fine = found["train"]
    count = max(1, round(config.fraction * len(fine)))
    images = dataclasses.replace(images, where=images.where[:count])
    mean, scale = NORMALIZE[config.normalize](images)
    if config.transform in MOVED:
        images = MOVED[config.transform](images.source, images.where)
    found["train"] = images, fine[:count]
    splits = {split: Split(some, classes[fine], mean, scale) for split, (some, fine) in found.items()}
    data = Dataset(config.dataset, images.shape, len(names), **splits)
    images = data
    if config.clone != "none":
        name = f"clone-{key(dataclasses.replace(config, teacher='none'))}"
        images = clones.clone(data, config.clone, config.normalize, name, config.data_seed)
    if config.teacher == "none":
        return images
    return teachers.taught(data, images, config.teacher, f"labels-{key(config)}", config.data_seed)


def check(config: Config) -> None:
    """Raise what `load` would raise before it reads images, and for clones of classes with too few of them.

    Raises FileNotFoundError for missing files; ValueError, naming the class and the settings that give it
    more images, where a Gaussian is to be fitted to fewer than clones.LEAST.
    """
    config = images_of(config)
    names = class_names(config)
    source_of(config.dataset).look(config)
    if config.clone not in clones.FITTED:
        return
    labels = load(dataclasses.replace(config, clone="none")).train.labels
    for name, count in zip(names, torch.bincount(labels, minlength=len(names)).tolist()):
        if count < clones.LEAST:
            raise ValueError(
                f"clone={config.clone} fits a Gaussian to {clones.LEAST} images or more of every class, but "
                f"class {name} has {count} of the {len(labels)} training images: raise fraction "
                f"({config.fraction:g}) or train_images ({config.train_images}), or take fewer classes than "
                f"the {len(names)} of labels={config.labels}"
            )


def load_still(config: Config, device: str = "cpu") -> Dataset:
    """The same, with training images that do not move where config.transform moves them in every batch.

    What is said of a network is measured on these.
    """
    moved = config.transform in MOVED
    return load(dataclasses.replace(config, transform="none") if moved else config, device)


def _same(images: Images, mean: float, scale: float) -> tuple[torch.Tensor, float]:
    """Mean and scale of a Split, the same for all pixels."""
    return torch.full((math.prod(images.shape),), float(mean), device=images.where.device), scale


def _with_margin(config: Config) -> Config:
    """Images are cut larger before they are turned, if they can be, so that no corner is empty."""
    if config.transform != "rotate" or not source_of(config.dataset).larger:
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
    """`count` training images as a network sees them, of one class after another.

    returns : float32 (count, channels, height, width)
    """
    data = load(config)
    places = [
        (data.train.labels == number).nonzero().squeeze(1)[: -(-count // data.classes)]
        for number in range(data.classes)
    ]
    return data.train.batch(torch.cat(places)[:count])[0].view(-1, *data.shape).numpy()


def composition(config: Config) -> list[tuple[str, str, int, int]]:
    """What each class is made of.

    returns : its name, the first words of its fine classes, how many these are, its training images
    """
    config = images_of(config)
    split, rows = load(config).train, []
    own = source_of(config.dataset).own(config)
    for number, name in enumerate(class_names(config)):
        fine = [words for words, group in zip(own, labels(config), strict=True) if group == name]
        kinds = dict.fromkeys(words.split()[0] for words in fine)
        rows.append((name, ", ".join(kinds), len(fine), int((split.labels == number).sum())))
    return rows


# normalize -> function(training images), mean and scale of a Split
NORMALIZE = {
    "mean-image": lambda images: (mean_image(images), 255),
    "patch": lambda images: (None, 255),
    "fixed": lambda images: _same(images, clones.MIDDLE, clones.STEPS["fixed"]),
    "pixels": lambda images: _same(images, *moments(images)),
}
