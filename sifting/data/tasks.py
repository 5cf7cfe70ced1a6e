"""What counts as a class: from an image's own class to the class of the task."""

from collections.abc import Callable, Sequence

import numpy as np

from sifting.config import Config, choose, images_of, own
from sifting.data import archives, fields, imagenet, photos
from sifting.data.images import Source
from sifting.data.own import source as own_source

RANDOM_CLASSES = 10  # Pellegrini & Biroli 2022
SHUFFLE = 0  # seeds the draw of "half" and "partial": the tasks are the same in every run
SOURCES = photos.SOURCES | fields.SOURCES | archives.SOURCES | imagenet.SOURCES  # dataset -> images.Source


def source_of(dataset: str) -> Source:
    """Where the images of a dataset come from. Raises ValueError for an unknown one, naming the choices."""
    if own.is_own(dataset):
        return own_source(dataset)
    choose("dataset", dataset, (*SOURCES, own.FORMS["images"]))
    return SOURCES[dataset]


def schemes(dataset: str) -> dict[str, Callable[[Config], Sequence[str]]]:
    """The labels that a dataset can have -> function(config), the class of each of its own classes.

    Raises ValueError for an unknown dataset, naming the choices.
    """
    source = source_of(dataset)
    found = {"fine": source.own, "random": source.own, **source.schemes}
    if groups := source.groups:
        found["semantic"] = groups
        found["half"] = lambda config: half(groups(config))
        found["partial"] = lambda config: partial(groups(config))
    return found


def labels(config: Config) -> list[str]:
    """The class, by its name, that config.labels gives to each of the dataset's own (fine) classes.

    What each of the labels means stands at that field. Raises ValueError for labels that the dataset does
    not have, and for more classes than it has.
    Source: Pellegrini & Biroli 2022, appendix C; scattered is ours.
    """
    config, known = images_of(config), schemes(config.dataset)
    choose(f"labels of {config.dataset}", config.labels, known)
    found = list(known[config.labels](config))
    has, mixed = len(set(found)), config.labels in ("random", "scattered")
    count = config.classes or (RANDOM_CLASSES if mixed else has)
    if count > has or (count < has and not mixed):
        raise ValueError(f"classes={count}, but the {config.labels} labels of {config.dataset} have {has}")
    return [f"random {number % count}" for number in range(has)] if mixed else found


def class_names(config: Config) -> list[str]:
    """Names of the classes, in the order of their labels."""
    return list(dict.fromkeys(labels(config)))


def exchange(groups: list[str], chosen: np.ndarray, draw: np.random.Generator) -> list[str]:
    """`groups` with those of the classes `chosen` (bool) dealt out again among them.

    Groups keep their sizes.
    """
    mixed = np.array(groups)
    mixed[chosen] = draw.permutation(mixed[chosen])
    return mixed.tolist()


def half(groups: list[str]) -> list[str]:
    """The first half of the groups as they are, the classes of the others mixed."""
    names = list(dict.fromkeys(groups))
    chosen = np.isin(groups, names[len(names) // 2 :])
    return exchange(groups, chosen, np.random.default_rng(SHUFFLE))


def partial(groups: list[str]) -> list[str]:
    """Half of the classes of every group mixed."""
    draw = np.random.default_rng(SHUFFLE)
    chosen = np.zeros(len(groups), bool)
    for name in dict.fromkeys(groups):
        members = np.flatnonzero(np.array(groups) == name)
        chosen[draw.permutation(members)[: len(members) // 2]] = True
    return exchange(groups, chosen, draw)
