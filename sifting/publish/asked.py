"""What is asked for: a chapter at a preset, with seeds and other settings. Neither torch nor notebooks."""

import contextlib
import itertools

from sifting import store
from sifting.config import DEVICES, SETTINGS, Config, check_seeds, choose, unread
from sifting.publish import plans, sources

LARGEST_FIRST = ("paper", "gpu", "desk", "laptop")  # the first of them whose results are all stored is shown


def check(
    name: str,
    preset: str | None = None,
    seeds: int | None = None,
    device: str = "auto",
    overrides: dict | None = None,
    engine: str = "auto",
    cluster: str | None = None,
    **_,
) -> None:
    """Find what is wrong with arguments of runner.compute, before anything slow is done.

    Raises ValueError for unknown names, with the choices, for impossible values, for settings without an
    effect, and for a chapter without these parameters; FileNotFoundError where images are not here.
    """
    if name in sources.guides():
        return
    choose("chapter", name, sources.chapters())
    choose("device", device, DEVICES)
    sources.check_parameters(sources.path(name))
    _, base, seeds = settle(name, preset, seeds, overrides)
    for field in overrides or {}:
        reasons = [unread(run).get(field) for _, run in plans.planned(name, base, 1)]
        if all(reasons):
            raise ValueError(f"{field} has no effect on {reasons[0]}")
    if engine != "auto" or any(SETTINGS[field].registry for field in overrides or {}):
        lacking = [one for kind, one in plans.planned(name, base, seeds) if not store.exists(kind, one)]
        store.check(lacking, engine, here=not cluster)  # needs torch, to know what is registered


def settle(
    name: str, preset: str | None, seeds: int | None, overrides: dict | None
) -> tuple[str, Config, int]:
    """Preset, its Config with `overrides`, and number of seeds; what was left open is decided.

    preset : default: the largest one of which everything is stored, else laptop
    seeds  : default: as many as are stored, else as the chapter says
    """
    if seeds is not None:
        check_seeds(seeds)
    candidates = [preset] if preset else LARGEST_FIRST
    last = plans.base(name, candidates[-1], overrides)
    for candidate in candidates:
        with contextlib.suppress(ValueError):  # rewind_step=1000 of paper does not go with steps=400
            base = plans.base(name, candidate, overrides)
            stored = stored_seeds(name, base)
            if stored and stored >= (seeds or 1):
                return candidate, base, seeds or stored
    return candidates[-1], last, seeds or stored_seeds(name, last) or default_seeds(name)


def stored_seeds(name: str, base: Config) -> int:
    """The largest number of seeds for which all that the chapter plans at `base` is stored.

    1 where it plans the same for any number.
    """

    before = None
    for count in itertools.count():
        wanted = plans.planned(name, base, count + 1)
        if wanted == before or not all(store.exists(*result) for result in wanted):
            return count
        before = wanted


def default_seeds(name: str) -> int:
    """The number of seeds in the chapter's parameters cell."""
    seeds = sources.check_parameters(sources.path(name), ["seeds"])["seeds"]
    check_seeds(seeds)
    return seeds
