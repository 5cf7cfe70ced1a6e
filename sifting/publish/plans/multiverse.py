"""What the chapters need that look at headline statements again: by other choices, on other pictures, larger.

GROUPS: chapter -> function(base, number of seeds) -> group -> configurations.
"""

import dataclasses

from sifting.config import FAMILIES, FIELDS, PRESETS, Config, preset, seeds
from sifting.publish.plans import gaussianity, locality, methods, surface, utility

SUBJECTS = locality, gaussianity, methods, utility, surface
CLONES = ("Gaussian clone", "the authors' clone", "random phases", "pixels reordered")
LENET = tuple(methods.METHODS)
# chapter -> those of its groups that are read
READS = {
    "imp": ("main",),
    "pruners": ("IMP", "one-shot"),
    "data": ("100 %", "50 %", "30 %", "10 %", "5 %", "2 %"),
    "tasks": ("fine", "semantic", "half", "partial", "random classes", "scattered"),
    "clones": (
        "photographs",
        "photographs, one-shot",
        *CLONES,
        "fine classes",
        "clone of fine classes",
    ),
    "kurtosis": ("IMP", "one-shot", "random"),
    "methods": (*LENET, *(f"{name}, fine-tuned" for name in methods.TREATED)),
    "residual": ("usual", "long"),
    "size": ("1×", "0.5×", "0.25×"),
    "retraining": (utility.HALF, f"{utility.HALF}, small"),
    "shares": tuple(f"{share}{end}" for share in utility.SHARES for end in ("", ", small")),
    "basins": ("weights, rate rewound", "channels, rate rewound", "small"),
    "leaving": tuple(surface.dial().values()),
}
# the same of those that are trained again on sets of photographs
AGAIN = {
    "imp": ("main",),
    "pruners": ("IMP", "one-shot"),
    "data": ("100 %", "10 %", "2 %"),
    "clones": (
        "photographs",
        "photographs, one-shot",
        "Gaussian clone",
        "fine classes",
        "clone of fine classes",
    ),
    "kurtosis": ("IMP", "one-shot"),
}
# the same of those that are looked at in larger networks
LARGER = {
    "imp": ("main",),
    "pruners": ("IMP", "one-shot", "random", "SNIP"),
    "clones": ("photographs", "photographs, one-shot", "Gaussian clone"),
    "kurtosis": ("IMP", "one-shot"),
}
ALL, SETS = "all", "sets"  # of the photographs
LARGE, SMALL = "large", "small"  # networks
SIZE = 3  # photographs of a set, so that there are five sets without one in common
USUAL = 3  # seeds that the book has of most chapters
FIVE, EIGHT = "imp pruners data tasks clones size residual", "methods kurtosis retraining shares basins"
SEEDS = dict.fromkeys(FIVE.split(), 5) | dict.fromkeys(EIGHT.split(), 8)  # and of these


def multiverse(base: Config, count: int) -> dict[str, list[Config]]:
    """The groups that READS names, as "CHAPTER: GROUP"."""
    return _read(READS, base, count)


def pictures(base: Config, count: int) -> dict[str, list[Config]]:
    """The groups that AGAIN names, as "all: CHAPTER: GROUP"; and the same on photographs of the n-th set.

    Whatever images `base` has, these are photographs.
    """
    if base.dataset != "photos":
        base = dataclasses.replace(base, dataset="photos", normalize=PRESETS["laptop"].normalize)
    found = _read(AGAIN, base, count)
    return {f"{ALL}: {name}": runs for name, runs in found.items()} | {
        f"{SETS}: {name}": [
            dataclasses.replace(run, pictures=SIZE, data_seed=run.data_seed + n)
            for n, run in enumerate(seeds(runs[0], count))
        ]
        for name, runs in found.items()
    }


def scale(base: Config, count: int) -> dict[str, list[Config]]:
    """The groups that LARGER names, as "large: CHAPTER: GROUP"; and the same of smaller networks.

    Of the smaller ones, which take little time, there are as many seeds as the book has.
    """
    sizes = {
        LARGE: _read(LARGER, base, count, exact=True),
        SMALL: _read(LARGER, smaller(base), max(count, USUAL)),
    }
    return {f"{size}: {name}": runs for size, found in sizes.items() for name, runs in found.items()}


def smaller(base: Config) -> Config:
    """Images half as fine, layers half as wide, a tenth of the training: of `desk` that is `laptop`."""
    return dataclasses.replace(
        base,
        image_size=max(8, base.image_size // 2),
        widths=tuple(max(2, width // 2) for width in base.widths),
        steps=max(base.evaluations, base.steps // 10),
        rewind_step=base.rewind_step // 10,
    )


def _read(
    wanted: dict[str, tuple[str, ...]], base: Config, count: int, exact: bool = False
) -> dict[str, list[Config]]:
    """The groups "CHAPTER: GROUP" of other chapters, with as many seeds as they have, or `count`."""
    found = {}
    for chapter, names in wanted.items():
        subject = _subject(chapter)
        other = beside(base, getattr(subject, "FAMILY", {}).get(chapter, "fcn"))
        runs = subject.GROUPS[chapter](other, count if exact else seeds_of(chapter, count))
        found |= {f"{chapter}: {name}": runs[name] for name in names}
    return found


def seeds_of(chapter: str, count: int) -> int:
    """Seeds of a chapter where most have `count`: as many as the book has, if not fewer are asked for."""
    return max(count, SEEDS.get(chapter, count)) if count >= USUAL else count


def beside(base: Config, family: str) -> Config:
    """The base of chapters on another family of networks: the preset whose name that of `base` has.

    Settings that are turned are those of fully connected networks; the others stay as they are.
    """
    if family == "fcn":
        return base

    def unlike(name):
        return sum(getattr(PRESETS[name], field) != getattr(base, field) for field in FIELDS)

    return dataclasses.replace(preset(min(FAMILIES[family], key=unlike), family=family), probed=base.probed)


def _subject(chapter: str):
    """The module that plans a chapter."""
    return next(subject for subject in SUBJECTS if chapter in subject.GROUPS)


def _kind(chapter: str, group: str) -> str:
    """The kind of result that a chapter draws of a group: the first."""
    subject = _subject(chapter)
    usual = getattr(subject, "DEFAULT", {}).get(chapter, "masks")
    return getattr(subject, "KINDS", {}).get(chapter, {}).get(group, (usual,))[0]


def _kinds(wanted: dict[str, tuple[str, ...]], of: str = "", kind=_kind) -> dict[str, tuple[str]]:
    """Group, as `_read` and `pictures` name it -> kinds of results that are needed of it."""
    return {
        f"{of}{chapter}: {name}": (kind(chapter, name),)
        for chapter, names in wanted.items()
        for name in names
    }


def _bare(chapter: str, group: str) -> str:
    """The kind of result of a group, without weights that only its own chapter looks at."""
    return kind if (kind := _kind(chapter, group)) != "shown" else "masks"


GROUPS = {"multiverse": multiverse, "pictures": pictures, "scale": scale}
KINDS = {
    "multiverse": _kinds(READS),
    "pictures": _kinds(AGAIN, f"{ALL}: ") | _kinds(AGAIN, f"{SETS}: ", _bare),
    "scale": _kinds(LARGER, f"{LARGE}: ", _bare) | _kinds(LARGER, f"{SMALL}: ", _bare),
}
# chapter -> the fields that it is about, which one turns first
TURNED = ("steps", "lr", "widths", "prune_fraction", "rewind_step", "momentum", "batch_norm")
ABOUT = dict.fromkeys(GROUPS, TURNED)
