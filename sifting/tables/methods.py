"""Tables of one network pruned in many ways: what is alike, what has structure, what stays, and who agrees with whom."""

import numpy as np
from scipy import stats

from sifting import observables
from sifting.results.history import History
from sifting.tables.basics import Groups, common, nearest, shape

DEAD = 0.95  # share of the test images in one class, from which a network counts as dead


def votes(run: History, split: str = "test") -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (levels, images, classes) and true classes (images,) of the validation or the test images."""
    part = np.s_[: int(run["held_out"])] if split == "val" else np.s_[int(run["held_out"]) :]
    return run["votes"][:, part].astype(float), run["truth"][part]


def dead(run: History) -> np.ndarray:
    """bool (levels,): whether the network puts DEAD or more of the test images into one class; False where that was not kept."""
    if "votes" not in run.names():
        return np.zeros(run.levels + 1, bool)
    said = votes(run)[0].argmax(2)
    return np.array([np.bincount(level).max() >= DEAD * len(level) for level in said])


def last_good(run: History, share: float = 0.9) -> int:
    """The last level whose test accuracy is at least `share` of that of the dense network."""
    accuracy = run.accuracy("test", "last")
    return int(np.flatnonzero(accuracy >= share * accuracy[0])[-1])


def last_alive(run: History) -> int:
    """The last level at which neither the network nor any before it is dead, or 0."""
    flags = dead(run)
    return max(0, int(flags.argmax()) - 1) if flags.any() else run.levels


def sparsity(groups: Groups) -> dict[str, dict[str, np.ndarray]]:
    """Accuracy against what is kept, and against what is kept and still connected: PF1, PF2, PF10, PF12.

    returns : condition -> (levels,) density and effective, shares of the weights, means over runs; (runs, levels) test, accuracy after
              training, and dead; of the levels that all runs reached
    """
    found = {}
    for name, runs in groups.items():
        levels = range(common(runs) + 1)
        used = np.zeros((len(runs), len(levels)))
        for n, run in enumerate(runs):
            for level in levels:
                masks = [run.mask(level, layer) for layer in range(1, run.layers + 1)]
                lead = sum(int(mask.sum()) for mask in observables.paths.used(*masks))
                used[n, level] = lead / sum(mask.size for mask in masks)
        found[name] = {
            "density": np.array([[run.density(level) for level in levels] for run in runs]).mean(0),
            "effective": used.mean(0),
            "test": np.stack([run.accuracy("test", "last")[: len(levels)] for run in runs]),
            "dead": np.stack([dead(run)[: len(levels)] for run in runs]),
        }
    return found


def structure(groups: Groups, layer: int, draws: int = 20) -> dict[str, dict[str, np.ndarray]]:
    """Do the weights of one layer survive in whole inputs, or in whole outputs? PF5, PF15.

    returns : condition -> (runs, levels) inputs, outputs: variance of the number kept of each input (output) over that of random pruning;
              inputs_null, outputs_null: means of the same over `draws` masks with as many kept weights anywhere; nan where all or nothing is
              kept; gone: number of inputs of which nothing is kept
    """
    draw, found = np.random.default_rng(0), {}
    for name, runs in groups.items():
        rows = [
            [_structure(run.mask(level, layer), draw, draws) for level in range(common(runs) + 1)]
            for run in runs
        ]
        found[name] = {
            what: np.array([[row[what] for row in levels] for levels in rows]) for what in rows[0][0]
        }
    return found


def _structure(mask: np.ndarray, draw: np.random.Generator, draws: int) -> dict[str, float]:
    sides = {"inputs": mask.swapaxes(0, 1).reshape(mask.shape[1], -1), "outputs": mask.reshape(len(mask), -1)}
    found = {"gone": float((~sides["inputs"].any(1)).sum())}
    for side, matrix in sides.items():
        found[side] = observables.connectivity.degree_excess(matrix)
        shuffled = [draw.permuted(matrix.ravel()).reshape(matrix.shape) for _ in range(draws)]
        found[f"{side}_null"] = float(
            np.mean([observables.connectivity.degree_excess(other) for other in shuffled])
        )
    return found


def last_scores(name: str, run: History, count: int) -> dict:
    """Row and column scores of the first `count` convolutions of one run at its `last_good` level: PF15.

    returns : rows of words, one a layer: NAME, layer and level, test accuracy, share kept, both scores; and for claims.check, row, the mean row score of
              the layers behind the first, and column, the mean column score of all, each with a standard error over inputs (outputs)
    """
    words, scores, level = [], {"row": [], "column": []}, last_good(run)
    accuracy = f"{100 * run.accuracy('test', 'last')[level]:.0f} %"
    for n, layer in enumerate(run.layer_names[:count], 1):
        mask = run.mask(level, n)
        sides = {"row": mask.swapaxes(0, 1).reshape(mask.shape[1], -1), "column": mask.reshape(len(mask), -1)}
        for side, matrix in sides.items():
            if side == "column" or n > 1:
                error = observables.connectivity.jackknife(
                    observables.connectivity.degree_excess, matrix, min(10, len(matrix))
                )
                scores[side].append((observables.connectivity.degree_excess(matrix), float(error)))
        row = f"{scores['row'][-1][0]:.1f}" if n > 1 else "–"
        kept, column = f"{100 * mask.mean():.2g} %", f"{scores['column'][-1][0]:.1f}"
        words.append([f"{name}, {layer}, level {level}", accuracy, kept, row, column])
    means = {}
    for side, found in scores.items():
        values, errors = np.array(found).T
        means[side] = {"values": values.mean(), "error": np.sqrt((errors**2).sum()) / len(errors)}
    return {"rows": words} | means


def on_maps(groups: Groups, layer: int, channels: int) -> dict[str, dict[str, np.ndarray]]:
    """`structure` of a linear layer behind `channels` square maps, and localization, (runs, levels), of its units on these."""
    found = structure(groups, layer)
    for name, runs in groups.items():
        rows = []
        for run in runs:
            side = round((run.removed_at(layer).shape[1] / channels) ** 0.5)
            masks = [run.mask(level, layer) for level in range(common(runs) + 1)]
            local = [observables.locality.localization(mask, (channels, side, side)) for mask in masks]
            rows.append([np.nanmean(some) if np.isfinite(some).any() else np.nan for some in local])
        found[name]["localization"] = np.array(rows)
    return found


def notions(groups: Groups, layer: int = 1) -> dict[str, dict[str, np.ndarray]]:
    """Two notions of structure in fully connected networks, of each unit by itself and of all together.

    returns : condition -> (levels,) density of the layer, without the dense one; (runs, levels) localization, mean of Lambda over units,
              and inputs, outputs, see `structure`
    """
    found = {}
    for name, runs in groups.items():
        levels, rows = range(1, common(runs) + 1), structure({name: runs}, layer, draws=1)[name]
        local = [
            [
                np.nanmean(observables.locality.localization(run.mask(level, layer), shape(run)))
                for level in levels
            ]
            for run in runs
        ]
        found[name] = {
            "density": np.mean([[run.density(level, layer) for level in levels] for run in runs], 0),
            "localization": np.array(local),
        } | {side: rows[side][:, 1:] for side in ("inputs", "outputs")}
    return found


def together(found: dict[str, dict[str, np.ndarray]], density: float, one: str, other: str) -> np.ndarray:
    """(runs,): Spearman's rank correlation over the conditions of two arrays of `notions`, each near `density`."""
    level = {name: nearest(rows["density"], density) for name, rows in found.items()}
    pairs = np.array([[rows[what][:, level[name]] for what in (one, other)] for name, rows in found.items()])
    return np.array([stats.spearmanr(*pairs[:, :, run].T).statistic for run in range(pairs.shape[2])])


def together_over(found: dict[str, dict[str, np.ndarray]], density: float, one: str, other: str) -> dict:
    """`together` of the means over runs, with its jackknife error over the conditions: values and error, for claims.check."""

    def rank(names):
        some = {
            name: {what: found[name][what].mean(0, keepdims=True) for what in (one, other)} for name in names
        }
        return together(
            {name: rows | {"density": found[name]["density"]} for name, rows in some.items()},
            density,
            one,
            other,
        )[0]

    names = list(found)
    without = np.array([rank([name for name in names if name != left]) for left in names])
    error = np.sqrt((len(names) - 1) / len(names) * ((without - without.mean()) ** 2).sum())
    return {"values": rank(names), "error": error}


def order(runs: list[History], layer: int = 1) -> np.ndarray:
    """(runs, levels): rank correlation of the sizes of the weights that are kept at a level, at its end and at that of the level before."""
    rows = []
    for run in runs:
        rows.append([])
        for level in range(1, run.levels + 1):
            kept = run.mask(level, layer)
            sizes = [abs(run.weights(at, layer)[kept]) for at in (level - 1, level)]
            rows[-1].append(stats.spearmanr(*sizes).statistic)
    return np.array(rows)


def doubled(scores: np.ndarray) -> np.ndarray:
    """Logarithms to base 2, in which a ratio and its inverse are alike; nan for what is not above 0."""
    return np.log2(np.where(scores > 0, scores, np.nan))


def weights_left(runs: list[History], layer: int, level: int) -> tuple[float, int]:
    """How many weights of a layer are kept at a level, mean over runs, and of how many."""
    return float(np.mean([run.mask(level, layer).sum() for run in runs])), runs[0].removed_at(layer).size


def with_levels(table: dict[str, dict[str, np.ndarray]], what: str) -> dict[str, dict[str, np.ndarray]]:
    """One array, (runs, levels), of every condition and its null, if it has one, with its levels but the dense one: for figures.methods.panels.

    returns : condition -> level, score and null
    """
    return {
        name: {
            "level": np.arange(1, rows[what].shape[1]),
            "score": rows[what][:, 1:],
            "null": rows.get(f"{what}_null", np.full_like(rows[what], np.nan))[:, 1:],
        }
        for name, rows in table.items()
    }


def stability(
    groups: Groups, what: str = "change", together: bool = False
) -> dict[str, dict[str, np.ndarray]]:
    """How much the weights of a layer change from one level to the next: PF8.

    what     : change, relative or order, see evolution.pack
    together : over the levels that the networks of all conditions live to see; else each over its own
    returns  : condition -> layer -> (runs,), mean over the levels at which the network and the one before are not dead
    """
    found, first = {}, min(last_alive(run) for runs in groups.values() for run in runs)
    for name, runs in groups.items():
        kept = [~(dead(run)[1:] | dead(run)[:-1]) for run in runs]
        if together:
            kept = [np.arange(len(there)) < max(1, first) for there in kept]
        found[name] = {
            layer: np.array(
                [
                    np.nanmean(np.where(there, run[f"{what}/{layer}.weight"], np.nan))
                    for run, there in zip(runs, kept)
                ]
            )
            for layer in runs[0].layer_names
        }
    return found


def by_layer_against(
    groups: Groups, accuracy: dict[str, np.ndarray], what: str, together: bool
) -> dict[str, np.ndarray]:
    """`against_accuracy` of `stability` in every layer: layer -> (runs,)."""
    found = stability(groups, what, together)
    return {layer: against_accuracy(found, layer, accuracy) for layer in next(iter(found.values()))}


def least(found: dict[str, np.ndarray], below: bool = False) -> np.ndarray:
    """(runs,): of `by_layer_against`, the smallest of all layers, or the largest where values are said to be below something."""
    return (np.max if below else np.min)(list(found.values()), 0)


def against_accuracy(
    found: dict[str, dict[str, np.ndarray]], layer: str, accuracy: dict[str, np.ndarray]
) -> np.ndarray:
    """(runs,): Spearman's rank correlation, over the conditions, of `stability` in one layer with `accuracy`, condition -> (runs,)."""
    rows = np.array([[found[name][layer], accuracy[name]] for name in found])
    kept = np.isfinite(rows).all((1, 2))
    return np.array([stats.spearmanr(*rows[kept, :, run].T).statistic for run in range(rows.shape[2])])


def weights_at(run: History, layer: str, level: int) -> np.ndarray:
    """Weights of a layer, float (outputs, inputs, ...), after the training of `level`, 0 where pruned."""
    return run[f"weights/{layer}.weight"][level].astype(float)


def lines(run: History, layer: str) -> np.ndarray:
    """Weights of one layer at the start and after the training of every level: PF6, PF7, PF16.

    returns : (1 + levels, weights); nan from where they are pruned, or the network is dead
    """
    removed_at = run[f"removed_at/{layer}.weight"].ravel()
    values = run[f"weights/{layer}.weight"].astype(float).reshape(-1, len(removed_at))
    values[removed_at <= np.arange(len(values))[:, None]] = np.nan
    values[last_alive(run) + 1 :] = np.nan
    return np.concatenate([run[f"initial/{layer}.weight"].astype(float).reshape(1, -1), values])


def parameters_left(counts: dict[str, int], fractions: tuple[float, ...]) -> dict[str, list[float]]:
    """Thousands of parameters left of networks with `counts` of them, where a fraction is pruned: PFT1."""
    return {name: [(1 - fraction) * count / 1000 for fraction in fractions] for name, count in counts.items()}


def largest_difference(ones: dict[str, list[float]], others: dict[str, list[float]]) -> float:
    """The largest difference, either way, between numbers of the same name and place."""
    return max(abs(a - b) for name, row in ones.items() for a, b in zip(row, others[name], strict=True))
