"""Tables of how weights change from level to level, and whether less in good methods."""

import numpy as np
from scipy import stats

from sifting.results.history import History
from sifting.tables.basics import Groups
from sifting.tables.predictions import dead, last_alive, last_good
from sifting.tables.words import around

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


def changes(groups: Groups, what: str = "change", same: bool = False) -> dict[str, dict[str, np.ndarray]]:
    """How much the weights of a layer change from one level to the next: PF8.

    what    : one of MEASURES
    same    : over the levels that the networks of all conditions live to see; else each over its own
    returns : condition -> layer -> (runs,), mean over levels at which neither the network nor the one before
              is dead
    """
    found, first = {}, min(last_alive(run) for runs in groups.values() for run in runs)
    for name, runs in groups.items():
        kept = [~(dead(run)[1:] | dead(run)[:-1]) for run in runs]
        if same:
            kept = [np.arange(len(there)) < max(1, first) for there in kept]
        found[name] = {
            layer: np.array([_mean(run[f"{what}/{layer}.weight"], there) for run, there in zip(runs, kept)])
            for layer in runs[0].layer_names
        }
    return found


def _mean(values: np.ndarray, there: np.ndarray) -> float:
    return np.nanmean(np.where(there, values, np.nan))


def correlations(groups: Groups, accuracy: dict[str, np.ndarray]) -> dict[tuple[str, bool], dict]:
    """Spearman's rank correlation, over the conditions, of `changes` with their accuracy.

    accuracy : condition -> (runs,)
    returns  : (one of MEASURES, same levels) -> layer -> (runs,)
    """
    return {
        (what, same): _against(changes(groups, what, same), accuracy)
        for what in MEASURES
        for same in (False, True)
    }


def _against(
    found: dict[str, dict[str, np.ndarray]], accuracy: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Rank correlation over the conditions in every layer: layer -> (runs,)."""
    ranks = {}
    for layer in next(iter(found.values())):
        rows = np.array([[found[name][layer], accuracy[name]] for name in found])
        rows = rows[np.isfinite(rows).all((1, 2))]
        ranks[layer] = np.array([stats.spearmanr(*pair.T).statistic for pair in np.moveaxis(rows, 2, 0)])
    return ranks


def correlation_rows(found: dict[tuple[str, bool], dict]) -> list[list[str]]:
    """Rows of words from `correlations`: mean and standard deviation over runs, layer by layer."""
    words = {False: "each its own levels", True: "the same levels"}
    return [
        [f"{what}, {words[same]}", *(around(values, digits=2) for values in layers.values())]
        for (what, same), layers in found.items()
    ]


def weakest(found: dict[str, np.ndarray], sign: int = 1) -> np.ndarray:
    """(runs,): the correlation in the layer that agrees least with its having this sign."""
    return sign * np.min([sign * values for values in found.values()], 0)


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
