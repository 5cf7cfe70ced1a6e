"""Which stored results each chapter needs: the runner computes what is missing, the chapter reads them."""

from dataclasses import replace

from sifting import store
from sifting.config import Config, choose, seeds
from sifting.history import History


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


def plan(chapter: str, base: Config, count: int) -> dict[tuple[str, str], list[Config]]:
    """What a chapter needs at `base` with `count` seeds, by (kind, group), in the order of computing.

    Raises ValueError for a chapter without a plan, naming those that have one.
    """
    choose("chapter", chapter, GROUPS)
    groups, wanted = GROUPS[chapter](base, count), KINDS[chapter]
    return {
        (kind, name): configs
        for kind in store.EXPERIMENTS
        for name, configs in groups.items()
        if kind in wanted.get(name, ("masks",))
    }


def planned(chapter: str, base: Config, count: int) -> list[tuple[str, Config]]:
    """The same as a list of (kind, configuration)."""
    return [(kind, config) for (kind, _), configs in plan(chapter, base, count).items() for config in configs]


def results(
    chapter: str,
    base: Config,
    count: int,
    device: str = "auto",
    fresh: bool = False,
    cluster: str | None = None,
) -> dict[tuple[str, str], list[History]]:
    """The stored results of a chapter by (kind, group), as ("masks", "less").

    What is missing is computed, all results of one kind side by side; device, fresh and cluster are
    those of store.load_or_run.
    """
    found, wanted = {}, planned(chapter, base, count)
    for kind in dict.fromkeys(kind for kind, _ in wanted):
        configs = [config for other, config in wanted if other == kind]
        histories = store.load_or_run(kind, configs, device, fresh, cluster=cluster)
        found |= zip([(kind, config) for config in configs], histories)
    return {
        key: [found[key[0], config] for config in configs]
        for key, configs in plan(chapter, base, count).items()
    }
