"""Which stored results each chapter needs: the runner computes what is missing, the chapter reads them."""

from dataclasses import replace

from sifting import store
from sifting.config import Config, choose, seeds
from sifting.history import History

Plan = list[tuple[str, Config]]


def imp(base: Config, count: int) -> dict[str, list[Config]]:
    """The main runs, one a seed, and one run each on less data and on other tasks (PB10, PB11).

    The semantic labels of photos are five classes; so are the random ones, that chance is the same."""
    return {
        "main": seeds(base, count),
        "less": [replace(base, fraction=0.3)],
        "least": [replace(base, fraction=0.02)],
        "semantic": [replace(base, labels="semantic")],
        "random": [replace(base, labels="random", classes=5)],
    }


# chapter -> function(base, number of seeds) -> group name -> configurations
GROUPS = {"imp": imp}
# chapter -> group -> kinds of results that are needed of it; default: masks
KINDS = {"imp": {"main": ("ticket", "anatomy")}}


def plan(chapter: str, base: Config, count: int) -> Plan:
    """Every (kind, configuration) that a chapter needs at `base` with `count` seeds, in the order of computing.

    Raises ValueError for a chapter without a plan, naming those that have one.
    """
    choose("chapter", chapter, GROUPS)
    groups = GROUPS[chapter](base, count).items()
    wanted = [
        (kind, config)
        for name, group in groups
        for config in group
        for kind in KINDS[chapter].get(name, ("masks",))
    ]
    return sorted(wanted, key=lambda item: list(store.EXPERIMENTS).index(item[0]))


def results(
    chapter: str, base: Config, count: int, device: str = "auto"
) -> dict[tuple[str, str], list[History]]:
    """The stored results of a chapter by (kind, group), as ("masks", "less"); what is missing is computed."""
    choose("chapter", chapter, GROUPS)
    groups = GROUPS[chapter](base, count)
    return {
        (kind, name): store.load_or_run(kind, group, device)
        for kind in store.EXPERIMENTS
        for name, group in groups.items()
        if kind in KINDS[chapter].get(name, ("masks",))
    }
