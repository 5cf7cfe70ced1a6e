"""Tables of how weights change from level to level, and whether less in good methods."""

import itertools

import numpy as np
from scipy import stats

from sifting.config import choose
from sifting.results.history import History
from sifting.tables.basics import Groups, rank_correlation
from sifting.tables.predictions import dead, last_alive, last_good
from sifting.tables.words import number

LEVELS = {  # over which levels changes are a mean -> the same in words
    "all": "all levels",
    "alive": "levels at which neither the network nor the one before is dead",
    "same": "levels that the networks of all methods live to see",
}
MEASURES = ("change", "relative", "order")  # of a layer from level to level, see probes.evolution.pack


def evolution(run: History, layer: str) -> np.ndarray:
    """Weights of one layer at the start and after the training of every level: PF6, PF7, PF16.

    returns : (1 + levels, weights); nan from where they are pruned, or the network is dead
    """
    removed_at = run[f"removed_at/{layer}.weight"].ravel()
    values = run[f"weights/{layer}.weight"].astype(float).reshape(-1, len(removed_at))
    values[removed_at <= np.arange(len(values))[:, None]] = np.nan
    values[last_alive(run) + 1 :] = np.nan
    return np.concatenate([run[f"initial/{layer}.weight"].astype(float).reshape(1, -1), values])


def changes(groups: Groups, what: str = "change", levels: str = "all") -> dict[str, dict[str, np.ndarray]]:
    """How much the weights of a layer change from one level to the next: PF8.

    what    : one of MEASURES
    levels  : one of LEVELS, over which it is a mean
    returns : condition -> layer -> (runs,)
    """
    choose("levels", levels, LEVELS)
    found, first = {}, min(last_alive(run) for runs in groups.values() for run in runs)
    for name, runs in groups.items():
        if levels == "all":
            kept = [np.ones(run.levels, bool) for run in runs]
        elif levels == "alive":
            kept = [~(dead(run)[1:] | dead(run)[:-1]) for run in runs]
        else:
            kept = [np.arange(run.levels) < max(1, first) for run in runs]
        found[name] = {
            layer: np.array([_mean(run[f"{what}/{layer}.weight"], there) for run, there in zip(runs, kept)])
            for layer in runs[0].layer_names
        }
    return found


def _mean(values: np.ndarray, there: np.ndarray) -> float:
    return np.nanmean(np.where(there, values, np.nan))


def correlation(
    found: dict[str, dict[str, np.ndarray]], accuracy: dict[str, np.ndarray], layers: list[str]
) -> dict[str, float]:
    """Spearman's rank correlation, over the conditions, of `changes` with accuracy, the mean over layers.

    accuracy : condition -> (runs,)
    returns  : of means over runs, see basics.rank_correlation
    """
    return rank_correlation(
        np.array(
            [
                [[rows[layer].mean(), accuracy[name].mean()] for name, rows in found.items()]
                for layer in layers
            ]
        )
    )


def correlation_rows(groups: Groups, accuracy: dict[str, np.ndarray]) -> list[list[str]]:
    """Rows of words, one of every measure and levels: `correlation` in each layer, ± its jackknife error."""
    layers, rows = next(iter(groups.values()))[0].layer_names, []
    for what, (levels, words) in itertools.product(MEASURES, LEVELS.items()):
        found = changes(groups, what, levels)
        each = [correlation(found, accuracy, [layer]) for layer in layers]
        rows.append(
            [f"{what}, {words}", *(f"{number(r['values'], 2)} ± {number(r['error'], 2)}" for r in each)]
        )
    return rows


def order(runs: list[History], layer: int = 1) -> np.ndarray:
    """(runs, 1 + levels): does the order of the weights by size stay from level to level?

    Rank correlation of the sizes that the weights kept at a level have after its training, and had after that
    of the level before; nan at level 0.
    """
    return np.array([[np.nan, *(_order(run, n, layer) for n in range(1, run.levels + 1))] for run in runs])


def _order(run: History, level: int, layer: int) -> float:
    kept = run.mask(level, layer)
    before, after = (abs(run.weights(at, layer)[kept]) for at in (level - 1, level))
    return stats.spearmanr(before, after).statistic


def reach_rows(runs: dict[str, History]) -> list[list[str]]:
    """How far networks can be pruned, in words: last level, last that is alive, last good one."""
    return [[name, str(run.levels), str(last_alive(run)), str(last_good(run))] for name, run in runs.items()]
