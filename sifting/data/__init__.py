"""Images as tensors on a device: every source, and what counts as a class."""

import numpy as np
import torch

from sifting.config import Config, choose
from sifting.data import archives, photos
from sifting.data.images import Dataset, Images, Split, mean_image, normalize_
from sifting.data.photos import PICTURES, SEMANTIC, provenance
from sifting.data.tasks import NAMES, SCHEMES, class_names, labels

__all__ = [
    "LOADERS",
    "NAMES",
    "SCHEMES",
    "PICTURES",
    "SEMANTIC",
    "Dataset",
    "Images",
    "Split",
    "class_names",
    "composition",
    "labels",
    "load",
    "mean_image",
    "normalize_",
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
    found = LOADERS[config.dataset](config, device)
    images, fine = found["train"]
    count = max(1, round(config.fraction * len(fine)))
    found["train"] = Images(images.source, images.where[:count]), fine[:count]
    mean = mean_image(found["train"][0]) if config.normalize == "mean-image" else None
    splits = {split: Split(some, classes[fine], mean) for split, (some, fine) in found.items()}
    return Dataset(config.dataset, images.shape, len(names), **splits)


def samples(config: Config, count: int = 8) -> dict[str, np.ndarray]:
    """The first `count` training images of every class: class -> uint8 (count, channels, height, width)."""
    split = load(config).train
    found = {}
    for number, name in enumerate(class_names(config)):
        mine = (split.labels == number).nonzero().squeeze(1)[:count]
        found[name] = split.images[mine].numpy()
    return found


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
    "digits": archives.digits,
    "mnist": archives.mnist,
    "fashion-mnist": archives.fashion_mnist,
    "cifar10": archives.cifar10,
    "imagenet32": archives.imagenet,
    "imagenet64": archives.imagenet,
}
