"""Tables of one network pruned in many ways: how accurate it is, and how much of it is left."""

import numpy as np

from sifting import observables
from sifting.results.history import History
from sifting.tables.basics import Groups, common, nearest

Table = dict[str, dict[str, np.ndarray]]  # condition -> name -> array


def accuracy(groups: Groups) -> Table:
    """Accuracy, and how much is kept, and kept and still connected: PF1, PF2, PF10, PF12.

    returns : condition -> density and effective (levels,), shares of all weights, means over runs;
              test (runs, levels), accuracy after training; of the levels that all runs reached
    """
    found = {}
    for name, runs in groups.items():
        levels = range(common(runs) + 1)
        found[name] = {
            "density": np.array([[run.density(level) for level in levels] for run in runs]).mean(0),
            "effective": np.array([[connected(run, level) for level in levels] for run in runs]).mean(0),
            "test": np.stack([run.accuracy("test", "last")[: len(levels)] for run in runs]),
        }
    return found


def connected(run: History, level: int) -> float:
    """Share of the weights that are kept and lie on a path from the image to an output."""
    masks = [run.mask(level, layer) for layer in range(1, run.layers + 1)]
    used = observables.paths.used(*masks)
    return sum(int(mask.sum()) for mask in used) / sum(mask.size for mask in masks)


def points(table: Table, levels: int | slice) -> dict[str, np.ndarray]:
    """Test accuracy in points, of one level or as a mean over some: condition -> (runs,)."""
    return {name: 100 * _accuracy(rows, levels) for name, rows in table.items()}


def _accuracy(rows: dict[str, np.ndarray], levels: int | slice) -> np.ndarray:
    values = rows["test"][:, levels]
    return values if values.ndim == 1 else values.mean(1)


def points_near(table: Table, density: float) -> dict[str, np.ndarray]:
    """Test accuracy in points of the level nearest to a density: condition -> (runs,)."""
    return {name: 100 * rows["test"][:, nearest(rows["density"], density)] for name, rows in table.items()}


def variants(table: dict, names: tuple[str, ...], words: tuple[str, ...], plain: str = "rewound") -> dict:
    """Conditions sorted by method.

    table   : condition -> anything; conditions are METHOD and "METHOD, VARIANT"
    returns : method -> `plain` and every variant -> what the table has of it
    """
    return {
        name: {plain: table[name]} | {variant: table[f"{name}, {variant}"] for variant in words}
        for name in names
    }


def effect(table: Table, variant: str, levels: int | slice) -> dict[str, np.ndarray]:
    """What a variant adds to the test accuracy of every method that has it, in points.

    table   : condition -> arrays; conditions are METHOD and "METHOD, VARIANT"
    levels  : of `points`
    returns : method -> (runs,), "METHOD, VARIANT" minus METHOD
    """
    found = {}
    for name, rows in table.items():
        method, _, said = name.partition(", ")
        if said == variant:
            found[method] = 100 * (_accuracy(rows, levels) - _accuracy(table[method], levels))
    return found


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
