"""What the chapter needs that looks at headline statements under other choices: results of other chapters.

GROUPS: chapter -> function(base, number of seeds) -> group -> configurations.
"""

import dataclasses

from sifting.config import FAMILIES, FIELDS, PRESETS, Config, preset
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
USUAL = 3  # seeds that the book has of most chapters
FIVE, EIGHT = "imp pruners data tasks clones size residual basins", "methods kurtosis retraining shares"
SEEDS = dict.fromkeys(FIVE.split(), 5) | dict.fromkeys(EIGHT.split(), 8)  # and of these


def multiverse(base: Config, count: int) -> dict[str, list[Config]]:
    """The groups that READS names, as "CHAPTER: GROUP"."""
    found = {}
    for chapter, names in READS.items():
        subject = _subject(chapter)
        other = beside(base, getattr(subject, "FAMILY", {}).get(chapter, "fcn"))
        runs = subject.GROUPS[chapter](other, seeds_of(chapter, count))
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


GROUPS = {"multiverse": multiverse}
KINDS = {
    "multiverse": {
        f"{chapter}: {name}": (_kind(chapter, name),) for chapter, names in READS.items() for name in names
    }
}
# chapter -> the fields that it is about, which one turns first
ABOUT = {"multiverse": ("steps", "lr", "widths", "prune_fraction", "rewind_step", "momentum", "batch_norm")}
