"""Images as tensors on a device: every source, and what counts as a class."""

import torch

from sifting.config import Config, choose
from sifting.data import archives, photos
from sifting.data.images import Dataset, Images, Split, mean_image, normalize_
from sifting.data.photos import CELLS, PICTURES, SEMANTIC, provenance

__all__ = [
    "LOADERS",
    "NAMES",
    "PICTURES",
    "SEMANTIC",
    "Dataset",
    "Images",
    "Split",
    "class_names",
    "labels",
    "load",
    "mean_image",
    "normalize_",
    "provenance",
]

RANDOM_CLASSES = 10  # Pellegrini & Biroli 2022


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


def labels(config: Config) -> list[str]:
    """The class, by its name, that config.labels gives to each of the dataset's own (fine) classes.

    fine     : the class itself; of photos picture and cell, 240 in all
    picture  : photos only, 15
    semantic : photos in five groups of three pictures (SEMANTIC); ImageNet in groups of your own
    random   : number of the fine class modulo config.classes (0: 10)
    """
    names = NAMES[config.dataset]
    schemes = {"fine": lambda: names, **SCHEMES.get(config.dataset, {}), "random": lambda: names}
    choose(f"labels of {config.dataset}", config.labels, schemes)
    found = list(schemes[config.labels]())
    has, mixed = len(set(found)), config.labels == "random"
    count = config.classes or (RANDOM_CLASSES if mixed else has)
    if count > has or (count < has and not mixed):
        raise ValueError(f"classes={count}, but the {config.labels} labels of {config.dataset} have {has}")
    return [f"random {number % count}" for number in range(has)] if mixed else found


def class_names(config: Config) -> list[str]:
    """Names of the classes, in the order of their labels."""
    choose("dataset", config.dataset, LOADERS)
    return list(dict.fromkeys(labels(config)))


# group, picture and cell of every class of photos
_PHOTOS = [
    (group, picture, f"{row},{column}")
    for group, some in SEMANTIC.items()
    for picture in some
    for row in range(CELLS)
    for column in range(CELLS)
]

# dataset -> names of its own classes
NAMES = {
    "photos": tuple(f"{picture} {cell}" for _, picture, cell in _PHOTOS),
    "digits": archives.DIGITS,
    "mnist": archives.DIGITS,
    "fashion-mnist": archives.CLOTHES,
    "cifar10": archives.THINGS,
    "imagenet32": archives.IMAGENET,
    "imagenet64": archives.IMAGENET,
}
# dataset -> labels besides fine and random -> function(), the name of each fine class's class
SCHEMES = {
    "photos": {
        "picture": lambda: [picture for _, picture, _ in _PHOTOS],
        "semantic": lambda: [group for group, _, _ in _PHOTOS],
    },
    "imagenet32": {"semantic": lambda: archives.imagenet_groups("imagenet32")},
    "imagenet64": {"semantic": lambda: archives.imagenet_groups("imagenet64")},
}
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
