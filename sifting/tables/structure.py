"""Tables of structure in masks: do weights survive by inputs, by outputs, or side by side?"""

import numpy as np

from sifting import observables
from sifting.results.history import History
from sifting.tables.basics import Groups, between_levels, common, rank_correlation
from sifting.tables.predictions import last_good


def by_input(mask: np.ndarray) -> np.ndarray:
    """The mask of a layer, (outputs, inputs, ...), with a row an input: (inputs, weights)."""
    return mask.swapaxes(0, 1).reshape(mask.shape[1], -1)


def by_output(mask: np.ndarray) -> np.ndarray:
    """The mask of a layer, (outputs, inputs, ...), with a row an output: (outputs, weights)."""
    return mask.reshape(len(mask), -1)


SIDES = {"inputs": by_input, "outputs": by_output}


def scores(groups: Groups, layer: int, draws: int = 20) -> dict[str, dict[str, np.ndarray]]:
    """Do the weights of one layer survive in whole inputs, or in whole outputs? PF5, PF15.

    returns : condition -> (runs, levels)
      inputs, outputs           : row and column score, the variance of the number kept of each input (output)
                                  over that of random pruning; nan where all or nothing is kept
      inputs_null, outputs_null : means of the same over `draws` masks with as many kept weights anywhere
      gone                      : number of inputs of which nothing is kept
    """
    draw, found = np.random.default_rng(0), {}
    for name, runs in groups.items():
        rows = [
            [_scores(run.mask(level, layer), draw, draws) for level in range(common(runs) + 1)]
            for run in runs
        ]
        found[name] = {
            what: np.array([[row[what] for row in levels] for levels in rows]) for what in rows[0][0]
        }
    return found


def _scores(mask: np.ndarray, draw: np.random.Generator, draws: int) -> dict[str, float]:
    score = observables.connectivity.degree_excess
    found = {"gone": float((~by_input(mask).any(1)).sum())}
    for side, rows_of in SIDES.items():
        rows = rows_of(mask)
        others = [draw.permuted(rows.ravel()).reshape(rows.shape) for _ in range(draws)]
        found[side], found[f"{side}_null"] = score(rows), float(np.mean([score(other) for other in others]))
    return found


def gone_alone(runs: list[History], level: int, layer: int) -> np.ndarray:
    """(runs,): inputs of a layer of which nothing is kept, though the map that they are still has weights.

    The layer before is a convolution whose maps these inputs are.
    """
    found = []
    for run in runs:
        gone = ~by_input(run.mask(level, layer)).any(1)
        found.append((gone & by_output(run.mask(level, layer - 1)).any(1)).sum())
    return np.array(found)


def with_localization(groups: Groups, layer: int, channels: int) -> dict[str, dict[str, np.ndarray]]:
    """Structure of all units of a linear layer together, and locality of each by itself.

    channels : how many square maps feed the layer

    returns : condition -> `scores`, and density (levels,) of the layer, mean over runs;
              localization (runs, levels), Lambda on these maps, mean over units; nan where it is of none
    """
    found = scores(groups, layer, draws=1)
    for name, runs in groups.items():
        levels = range(common(runs) + 1)
        local = [[_localization(run.mask(level, layer), channels) for level in levels] for run in runs]
        density = np.mean([[run.density(level, layer) for level in levels] for run in runs], 0)
        found[name] |= {"localization": np.array(local), "density": density}
    return found


def _localization(mask: np.ndarray, channels: int) -> float:
    side = round((mask.shape[1] / channels) ** 0.5)
    found = observables.locality.localization(mask, (channels, side, side))
    return float(np.nanmean(found)) if np.isfinite(found).any() else np.nan


def at_density(found: dict[str, dict[str, np.ndarray]], what: str, density: float) -> dict[str, np.ndarray]:
    """An array of `with_localization` between levels: condition -> (runs,); see basics.between_levels."""
    return {
        name: np.array([between_levels(rows["density"], row, density) for row in rows[what]])
        for name, rows in found.items()
    }


def correlation(found: dict[str, dict[str, np.ndarray]], density: float, one: str, other: str) -> dict:
    """Spearman's rank correlation, over the conditions, of two arrays at `density`.

    found   : of `with_localization`; one, other : names of arrays (runs, levels) of it
    returns : of means over runs, see basics.rank_correlation
    """
    ones, others = (at_density(found, what, density) for what in (one, other))
    return rank_correlation(np.array([[[ones[name].mean(), others[name].mean()] for name in found]]))


def of_convolutions(name: str, run: History, count: int) -> dict:
    """Row and column scores of the first convolutions of a run, at its `last_good` level: PF15.

    returns : rows of words, one a layer: NAME, layer and level, test accuracy, share kept, both scores;
              for claims.check row, the mean row score of the layers behind the first, and column, the mean
              column score of all, each with a standard error over inputs (outputs)
    """
    level, words, rows, columns = last_good(run), [], [], []
    accuracy = f"{100 * run.accuracy('test', 'last')[level]:.0f} %"
    for n, layer in enumerate(run.layer_names[:count], 1):
        mask = run.mask(level, n)
        columns.append(_with_error(by_output(mask)))
        if n > 1:  # the inputs of the first are the colors of the image
            rows.append(_with_error(by_input(mask)))
        both = f"{rows[-1][0]:.1f}" if n > 1 else "–", f"{columns[-1][0]:.1f}"
        words.append([f"{name}, {layer}, level {level}", accuracy, f"{100 * mask.mean():.2g} %", *both])
    return {"rows": words, "row": _mean(rows), "column": _mean(columns)}


def _with_error(rows: np.ndarray) -> tuple[float, float]:
    """The score of a mask with a row for each input (output), and its standard error over these."""
    score = observables.connectivity.degree_excess
    return score(rows), float(observables.connectivity.jackknife(score, rows, min(10, len(rows))))


def _mean(found: list[tuple[float, float]]) -> dict[str, float]:
    """The mean of numbers with errors that are independent."""
    values, errors = np.array(found).T
    return {"values": values.mean(), "error": np.sqrt((errors**2).sum()) / len(errors)}
