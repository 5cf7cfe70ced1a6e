"""Tables of one network pruned in many ways: how accurate it is, and how much of it is left."""

from collections.abc import Sequence

import numpy as np

from sifting.results.history import History
from sifting.tables.basics import Groups, between_levels, common
from sifting.tables.connectivity import mattering
from sifting.tables.predictions import tested

Table = dict[str, dict[str, np.ndarray]]  # condition -> name -> array


def accuracy(groups: Groups) -> Table:
    """Accuracy, and how much is kept, and how much of that can matter: PF1, PF2, PF10, PF12.

    returns : condition -> density (levels,), share of all weights that is kept, mean over runs;
              (runs, levels) kept and matter, shares of all weights, see tables.connectivity.mattering, and
              test, accuracy after training; of the levels that all runs reached
    """
    found = {}
    for name, runs in groups.items():
        levels = range(common(runs) + 1)
        kept, matter = (
            np.array([[share(run, level) for level in levels] for run in runs])
            for share in (History.density, mattering)
        )
        test = np.stack([run.accuracy("test", "last")[: len(levels)] for run in runs])
        found[name] = {"density": kept.mean(0), "kept": kept, "matter": matter, "test": test}
    return found


def on_redrawn(groups: Groups, table: Table) -> Table:
    """`accuracy` with test (1 + redraws, runs, levels): as it is, and on images drawn anew.

    See predictions.tested. What is measured of it has a row for each of these, too, as claims.check takes it
    where an interval is over test images.
    """
    return {
        name: table[name] | {"test": tested(runs, table[name]["test"].shape[1])}
        for name, runs in groups.items()
    }


def against(table: Table, share: str) -> Table:
    """`accuracy` with another share of the weights, kept or matter, as the density."""
    return {name: rows | {"density": rows[share].mean(0)} for name, rows in table.items()}


def points(table: Table, levels: int | slice) -> dict[str, np.ndarray]:
    """Test accuracy in points, of one level or as a mean over some: condition -> (..., runs).

    Of those that reached the level.
    """
    reached = {name: rows for name, rows in table.items() if _reached(rows, levels)}
    return {name: 100 * _accuracy(rows, levels) for name, rows in reached.items()}


def _reached(rows: dict[str, np.ndarray], levels: int | slice) -> bool:
    return isinstance(levels, slice) or levels < rows["test"].shape[-1]


def _accuracy(rows: dict[str, np.ndarray], levels: int | slice) -> np.ndarray:
    values = rows["test"][..., levels]
    return values.mean(-1) if isinstance(levels, slice) else values


GOOD = 0.9  # of the dense network's accuracy, at least which a network lives


def lived(table: Table) -> dict[str, np.ndarray]:
    """How many levels networks live: condition -> (..., runs).

    Until their test accuracy first falls below GOOD of that of the dense network. Unlike accuracy at one
    level, it has no two humps where some runs of a method have failed already; it ends with the last level.
    """
    good = {name: rows["test"] >= GOOD * rows["test"][..., :1] for name, rows in table.items()}
    return {name: flags.cumprod(-1).sum(-1) - 1.0 for name, flags in good.items()}


def varied(measured: dict[str, np.ndarray], variant: str, names: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """A variant of methods and the methods themselves: the values and against of claims.check.

    measured : condition -> (..., runs), of `points` or `lived`; conditions are METHOD and "METHOD, VARIANT"
    names    : methods, over which both are means; default: all that have the variant
    """
    names = names or [name for name in measured if f"{name}, {variant}" in measured]
    one, other = ([measured[name + end] for name in names] for end in (f", {variant}", ""))
    return {"values": np.mean(one, 0), "against": np.mean(other, 0)}


def points_at(table: Table, density: float, share: str = "kept") -> dict[str, np.ndarray]:
    """Test accuracy in points where a share of the weights is left: condition -> (..., runs).

    share : kept or matter, of `accuracy`

    Of each run by itself, see basics.between_levels.
    """
    found = {}
    for name, rows in table.items():
        of_runs = zip(rows[share], np.moveaxis(rows["test"], -2, 0), strict=True)
        tests = [
            np.apply_along_axis(
                lambda values, shares=shares: between_levels(shares, values, density), -1, test
            )
            for shares, test in of_runs
        ]
        found[name] = 100 * np.stack(tests, -1)
    return found


def variants(table: dict, names: tuple[str, ...], words: tuple[str, ...], plain: str = "rewound") -> dict:
    """Conditions sorted by method.

    table   : condition -> anything; conditions are METHOD and "METHOD, VARIANT"
    returns : method -> `plain` and every variant -> what the table has of it
    """
    return {
        name: {plain: table[name]} | {variant: table[f"{name}, {variant}"] for variant in words}
        for name in names
    }


def weights_at(run: History, layer: str, level: int) -> np.ndarray:
    """Weights of a layer after the training of `level`, (outputs, inputs, ...), 0 where pruned."""
    return run[f"weights/{layer}.weight"][level].astype(float)


def weights_left(runs: list[History], layer: int, level: int) -> tuple[float, int]:
    """How many weights of a layer are kept at a level, mean over runs, and of how many."""
    return float(np.mean([run.mask(level, layer).sum() for run in runs])), runs[0].removed_at(layer).size


def by_level(table: Table, what: str) -> Table:
    """One array of every condition at all levels but the dense one: for figures.methods.panels.

    what    : the name of an array (runs, levels); its null, if there is one, is WHAT_null
    returns : condition -> level (levels,); score and null (runs, levels); density (levels,), if there is one
    """
    found = {}
    for name, rows in table.items():
        null = rows.get(f"{what}_null", np.full_like(rows[what], np.nan))
        level = np.arange(1, rows[what].shape[1])
        found[name] = {"level": level, "score": rows[what][:, 1:], "null": null[:, 1:]}
        if "density" in rows:
            found[name]["density"] = rows["density"][1:]
    return found


def parameters_left(counts: dict[str, int], fractions: tuple[float, ...]) -> dict[str, list[float]]:
    """Thousands of parameters that are left of each network where a fraction is pruned: PFT1."""
    return {name: [(1 - fraction) * count / 1000 for fraction in fractions] for name, count in counts.items()}


def parameter_rows(left: dict[str, list[float]]) -> list[list[str]]:
    """Rows of words from `parameters_left`, one a network."""
    return [[name, *(f"{value:,.1f}" for value in values)] for name, values in left.items()]


def largest_difference(ones: dict[str, list[float]], others: dict[str, list[float]]) -> float:
    """The largest difference, either way, between numbers of the same name and place."""
    return max(abs(a - b) for name, row in ones.items() for a, b in zip(row, others[name], strict=True))
