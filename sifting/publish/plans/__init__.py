"""Which stored results each chapter needs: the runner computes what is missing, the chapter reads them."""

import dataclasses

import numpy as np

from sifting import store
from sifting.config import FAMILIES, SETTINGS, Config, check_seeds, choose, preset, without
from sifting.publish import sources
from sifting.publish.plans import gaussianity, locality, methods, multiverse, surface, synthesis, utility
from sifting.results.history import History

SUBJECTS = locality, gaussianity, methods, utility, surface, synthesis, multiverse


def _of_all(name: str) -> dict:
    """What the modules of all subjects say under that name: chapter -> it."""
    return {chapter: said for subject in SUBJECTS for chapter, said in getattr(subject, name, {}).items()}


GROUPS = _of_all("GROUPS")  # chapter -> function(base, number of seeds) -> group name -> configurations
KINDS = _of_all("KINDS")  # chapter -> group -> kinds of results that are needed of it
DEFAULT = _of_all("DEFAULT")  # chapter -> kind that is needed of groups that KINDS does not name; else masks
ABOUT = _of_all("ABOUT")  # chapter -> the fields that it is about
FAMILY = _of_all("FAMILY")  # chapter -> family of the presets that it is run at; else fcn


def base(chapter: str, name: str, overrides: dict | None = None) -> Config:
    """What the plan of a chapter is made of: the preset of that name, of the chapter's family of networks.

    Raises ValueError for an override that changes none of its runs, because it sets or compares that by
    itself, or only some of the networks that it compares.
    """
    family = FAMILY.get(chapter, "fcn")
    usual, found = preset(name, None, family), preset(name, overrides, family)
    for field in overrides or {}:
        if chapter in GROUPS and _moot(chapter, field, usual, found):
            raise ValueError(f"{field} has no effect in {chapter}, which sets or compares it by itself")
        if SETTINGS[field].compared and chapter in GROUPS and _compared(chapter, field, usual, found):
            raise ValueError(f"{field} cannot be set in {chapter}, which compares networks that differ in it")
    return found


def presets(chapter: str) -> list[str]:
    """Names of the presets of a chapter, the smallest first."""
    return list(FAMILIES[FAMILY.get(chapter, "fcn")])


def _moot(chapter: str, field: str, usual: Config, found: Config) -> bool:
    """Whether a chapter needs the same runs at `found` as where `field` is as usual, though it is not."""
    value = getattr(usual, field)
    try:
        same = plan(chapter, found, 1) == plan(chapter, dataclasses.replace(found, **{field: value}), 1)
    except ValueError:  # not possible without the others
        return False
    return same and getattr(found, field) != value


def _compared(chapter: str, field: str, usual: Config, found: Config) -> bool:
    """Whether groups of a chapter differ in a field, and some keep their value where it is set to another.

    Not where there is one group more then, which has that value.
    """
    before, after = (
        {name: getattr(runs[0], field) for name, runs in GROUPS[chapter](base, 1).items() if runs}
        for base in (usual, found)
    )
    other = getattr(found, field)
    return (
        other != getattr(usual, field)
        and len(set(before.values())) > 1
        and before.keys() == after.keys()
        and any(value == before[name] != other for name, value in after.items())
    )


def plan(chapter: str, base: Config, count: int) -> dict[tuple[str, str], list[Config]]:
    """What a chapter needs at `base` with `count` seeds, by (kind, group), group after group.

    Raises ValueError for an unknown chapter, naming those that have a plan, for one that is there without a
    plan, and for too little to measure.
    """
    if chapter not in GROUPS and sources.path(chapter).exists():
        raise ValueError(f"chapter {chapter} has no plan: add one to sifting/publish/plans")
    choose("chapter", chapter, GROUPS)
    check_seeds(count)
    if base.levels < 2:
        raise ValueError(f"a chapter needs levels=2 or more, not {base.levels}")
    base = dataclasses.replace(base, probed="every")  # chapters say themselves which levels they need
    groups, wanted = GROUPS[chapter](base, count), KINDS.get(chapter, {})
    return {
        (kind, name): [_read(kind, config) for config in configs]
        for name, configs in groups.items()
        for kind in store.EXPERIMENTS
        if kind in wanted.get(name, (DEFAULT.get(chapter, "masks"),))
    }


def _read(kind: str, config: Config) -> Config:
    """`config` without what a result of that kind does not depend on.

    Equal results so have equal names.
    """

    def unread(setting):
        if setting.results:
            return kind not in setting.results
        return setting.later and not config.levels and setting.name != "levels"

    for name, setting in SETTINGS.items():
        least = None if unread(setting) else setting.least
        if least is not None and (value := getattr(config, name)) < least:
            raise ValueError(f"{name} must be {least} or more for results of kind {kind}, not {value}")
    return without(config, unread)


def in_paper(chapter: str, group: str) -> Config:
    """A group of a chapter with the settings of the paper: its first run."""
    return GROUPS[chapter](base(chapter, "paper"), 1)[group][0]


def planned(chapter: str, base: Config, count: int) -> list[tuple[str, Config]]:
    """The same as a list of (kind, configuration)."""
    return [(kind, config) for (kind, _), configs in plan(chapter, base, count).items() for config in configs]


def results(
    chapter: str, base: Config, count: int, device: str = "auto", **how
) -> dict[tuple[str, str], list[History]]:
    """The stored results of a chapter by (kind, group), as ("masks", "less").

    Groups come in the order of the plan. What is missing is computed, all results of one kind side by side;
    device, and fresh, cluster and engine in `how`, are those of store.load_or_run.
    """
    found, wanted, fresh = {}, planned(chapter, base, count), how.get("fresh", False)
    missing = [config for kind, config in wanted if fresh or not store.exists(kind, config)]
    store.check(missing, here=not how.get("cluster"))
    for kind in store.EXPERIMENTS:
        configs = [config for other, config in wanted if other == kind]
        if not configs:
            continue
        histories = store.load_or_run(kind, configs, device, **how)
        found |= zip([(kind, config) for config in configs], histories)
    for history in found.values():
        _check_learned(history)
    return {
        key: [found[key[0], config] for config in configs]
        for key, configs in plan(chapter, base, count).items()
    }


def _check_learned(run: History) -> None:
    """Raise ValueError for a run whose dense network diverged: there is nothing to draw of it."""
    if "train_loss" in run.names() and not np.isfinite(run["train_loss"][0, -1]):
        raise ValueError(
            f"{run.name}: training of the dense network diverged, with lr={run.config.lr:g}; "
            "try a smaller one"
        )
