"""What counts as a class: from an image's own class to the class of the task."""

import numpy as np

from sifting.config import Config, choose
from sifting.data import archives, fields
from sifting.data.photos import CELLS, SEMANTIC

RANDOM_CLASSES = 10  # Pellegrini & Biroli 2022
SHUFFLE = 0  # seeds the draw of "half" and "partial": the tasks are the same in every run


def labels(config: Config) -> list[str]:
    """The class, by its name, that config.labels gives to each of the dataset's own (fine) classes.

    fine      : the class itself; of photos picture and cell, 240 in all
    picture   : photos only, 15
    semantic  : photos in five groups of three pictures (SEMANTIC); ImageNet in groups of your own
    half      : half of the semantic groups as they are; the classes of the others change places at random
    partial   : of every semantic group half of the classes, drawn at random, change places at random
    random    : number of the fine class modulo config.classes (0: 10)
    scattered : the same, of photos whose fine classes are drawn at random for blocks of 1/32 of a picture

    Source: Pellegrini & Biroli 2022, appendix C; scattered is ours.
    """
    names = NAMES[config.dataset]
    schemes = {"fine": lambda: names, "random": lambda: names} | SCHEMES.get(config.dataset, {})
    choose(f"labels of {config.dataset}", config.labels, schemes)
    found = list(schemes[config.labels]())
    has, mixed = len(set(found)), config.labels in ("random", "scattered")
    count = config.classes or (RANDOM_CLASSES if mixed else has)
    if count > has or (count < has and not mixed):
        raise ValueError(f"classes={count}, but the {config.labels} labels of {config.dataset} have {has}")
    return [f"random {number % count}" for number in range(has)] if mixed else found


def class_names(config: Config) -> list[str]:
    """Names of the classes, in the order of their labels."""
    choose("dataset", config.dataset, NAMES)
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
    "fields": fields.FIELDS,
    "digits": archives.DIGITS,
    "mnist": archives.DIGITS,
    "fashion-mnist": archives.CLOTHES,
    "cifar10": archives.THINGS,
    "imagenet32": archives.IMAGENET,
    "imagenet64": archives.IMAGENET,
}


def exchange(groups: list[str], chosen: np.ndarray, draw: np.random.Generator) -> list[str]:
    """`groups` with those of the classes `chosen` (bool) dealt out again among them: groups keep their sizes."""
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


def _schemes(semantic) -> dict:
    return {
        "semantic": semantic,
        "half": lambda: half(semantic()),
        "partial": lambda: partial(semantic()),
    }


# dataset -> labels besides fine and random -> function(), the name of each fine class's class
SCHEMES = {
    "photos": {
        "picture": lambda: [picture for _, picture, _ in _PHOTOS],
        "scattered": lambda: NAMES["photos"],
        **_schemes(lambda: [group for group, _, _ in _PHOTOS]),
    },
    "imagenet32": _schemes(lambda: archives.imagenet_groups("imagenet32")),
    "imagenet64": _schemes(lambda: archives.imagenet_groups("imagenet64")),
}
