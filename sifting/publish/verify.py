"""Recompute stored runs and compare: how reproducible a result is, array by array."""

import contextlib
import tempfile
from dataclasses import dataclass

import numpy as np

from sifting import store
from sifting.config import choose
from sifting.publish import asked, pages, plans, sources, trials
from sifting.publish.notebooks import environment
from sifting.results.history import History
from sifting.results.masks import NEVER, jaccard

# On another processor or another version of torch, sums round differently and training, which is
# chaotic, ends in other weights. What a result says must not change:
ACCURACY = 0.03  # largest difference of an accuracy at any level
OVERLAP = 2.0  # smallest Jaccard index of two masks, as a multiple of that of random masks


@dataclass(frozen=True)
class Difference:
    """How two arrays of one name differ.

    largest : largest absolute difference; nan where their shapes differ
    overlap : for masks: Jaccard index at the last level, and what random masks of that density give
    """

    name: str
    identical: bool
    largest: float
    overlap: tuple[float, float] | None = None


def compare(stored: dict[str, np.ndarray], again: dict[str, np.ndarray]) -> list[Difference]:
    """Differences of two results, array by array; one that either of them lacks differs by nan."""
    return [_difference(name, stored.get(name), again.get(name)) for name in sorted({**stored, **again})]


def _difference(name: str, one: np.ndarray | None, two: np.ndarray | None) -> Difference:
    if one is None or two is None or one.shape != two.shape:
        return Difference(name, False, float("nan"))
    identical = one.dtype == two.dtype and one.tobytes() == two.tobytes()
    with np.errstate(invalid="ignore"):  # of networks that diverged
        apart = np.abs(one.astype(float) - two.astype(float))
    masks = overlap(one, two) if name.startswith("removed_at/") else None
    return Difference(name, identical, float(np.nanmax(apart, initial=0)), masks)


def overlap(one: np.ndarray, two: np.ndarray) -> tuple[float, float]:
    """Jaccard index of the weights that two runs never removed, and that of random masks.

    u / (2 - u), at density u
    """
    one, two = one == NEVER, two == NEVER
    density = (one.mean() + two.mean()) / 2
    return jaccard(one, two), float(density / (2 - density))


def agrees(differences: list[Difference]) -> bool:
    """Whether differences are as small as between two machines, by ACCURACY and OVERLAP."""
    for difference in differences:
        if difference.identical:
            continue
        if np.isnan(difference.largest):
            return False
        if difference.overlap and difference.name.endswith(".weight"):
            index, chance = difference.overlap
            if index < min(1, OVERLAP * chance):
                return False
        elif difference.name.startswith("best_") and not difference.largest <= ACCURACY:
            return False
    return True


def arrays(run: History) -> dict[str, np.ndarray]:
    """All arrays of a run, and the accuracies that the book reports, with the prefix best_."""
    names = [name for name in run.names() if name != "engine"]
    reported = {
        f"best_{split}_accuracy": run.accuracy(split) for split in ("val", "test") if "val_accuracy" in names
    }
    return {name: run[name] for name in names} | reported


def report(differences: list[Difference]) -> list[str]:
    """What to print: a line for each mask, one for all arrays of a name, as trained/LEVEL/..."""
    lines, groups = [], {}
    for difference in differences:
        if difference.overlap and not difference.identical:
            index, chance = difference.overlap
            lines.append(f"{difference.name}: overlap {index:.3f} (Jaccard index; random masks {chance:.3f})")
        else:
            groups.setdefault(difference.name.partition("/")[0], []).append(difference)
    for name, group in groups.items():
        count = f" ({len(group)} arrays)" if len(group) > 1 else ""
        apart = [difference.largest for difference in group if not difference.identical]
        lines.append(
            f"{name}{count}: " + (f"largest difference {np.max(apart):.3g}" if apart else "identical")
        )
    return lines


def same_machine(one: History, two: History) -> bool:
    """Whether both were made by one engine, with the same versions, on one kind of device.

    Then every bit must agree. What one of them does not name, it did not need.
    """
    versions, others = one.provenance["versions"], two.provenance["versions"]
    same = all(versions[name] == others[name] for name in versions.keys() & others.keys())
    return same and one.provenance["device"] == two.provenance["device"] and one.engine == two.engine


def verify(name: str, every_seed: bool = False, device: str = "auto") -> bool:
    """Recompute a stored result, compare, and print.

    name    : of the result, of the book or of a trial; or of a chapter: then its run that took least time,
              or all seeds of that
    returns : whether it is identical, or on another machine within the tolerance
    """
    if not store.is_name(name) and name not in (known := sources.chapters()):
        raise ValueError(
            f"{name!r} is neither the name of a result, as ticket-0123456789ab, nor a chapter; choose from "
            f"{', '.join(known)}"
        )
    good = True
    for stored in [_named(name)] if store.is_name(name) else smallest(name, every_seed):
        stored.check()
        print(
            f"{stored.name}: computing it again (took {stored.seconds:.0f} s "
            f"on {stored.provenance['device']})",
            flush=True,
        )
        with tempfile.TemporaryDirectory() as folder, environment({"SIFTING_RESULTS": folder}):
            [again] = store.load_or_run(stored.kind, [stored.config], device, engine=_engine(stored))
            differences, strict = compare(arrays(stored), arrays(again)), same_machine(stored, again)
        print("\n".join(f"  {line}" for line in report(differences)))
        fine = all(difference.identical for difference in differences) or (not strict and agrees(differences))
        verdict = "reproduced" if fine else "NOT reproduced"
        rule = (
            "every bit"
            if strict
            else f"made elsewhere: accuracies within {ACCURACY}, masks {OVERLAP:g} times above chance"
        )
        print(f"{stored.name}: {verdict} ({rule})")
        good &= fine
    return good


def _engine(stored: History) -> str:
    """That of a stored result; where it does not train here, as without numba, the one that does."""
    try:
        store.check([stored.config], stored.engine, here=False)
    except ValueError as error:
        print(f"  another engine trains: {error}")
        return "auto"
    return stored.engine


def _named(name: str) -> History:
    """The stored result of that name, of the book, or else of a trial. Raises FileNotFoundError."""
    with contextlib.suppress(FileNotFoundError):
        return store.named(name)
    with trials.apart(), contextlib.suppress(FileNotFoundError):
        return store.named(name)
    raise FileNotFoundError(
        f"neither the book nor a trial has a result {name}; How it was made and Your trials list them"
    )


def smallest(name: str, every_seed: bool = False) -> list:
    """The stored run of a chapter that took least time; with `every_seed`, all its seeds.

    Raises FileNotFoundError where none is stored.
    """
    choose("chapter", name, sources.chapters())
    found = {}
    for preset in (*asked.LARGEST_FIRST, "smoke"):  # smoke only where nothing else is there
        base = plans.base(name, preset)
        for kind, config in plans.planned(name, base, max(1, asked.stored_seeds(name, base))):
            alone = kind not in ("anatomy", "stimuli")  # these need a ticket first
            if alone and store.exists(kind, config) and (preset != "smoke" or not found):
                found[kind, config] = store.load(kind, config)
    if not found:
        raise FileNotFoundError(f"nothing is stored for {name}; make chapter={name} computes it")
    least = min(found.values(), key=lambda run: run.seconds)
    alike = (least.kind, pages.seedless(least.config))
    same = [run for run in found.values() if (run.kind, pages.seedless(run.config)) == alike]
    return same if every_seed else [least]
