"""Tables of one network pruned in many ways: what is alike, what has structure, what stays, and who agrees with whom."""

import itertools

import numpy as np
from scipy import stats

from sifting import observables
from sifting.history import History
from sifting.masks import jaccard
from sifting.tables.conditions import Groups
from sifting.tables.runs import common

DEAD = 0.95  # share of the test images in one class, from which a network counts as dead


def votes(run: History, split: str = "test") -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (levels, images, classes) and true classes (images,) of the validation or the test images."""
    part = np.s_[: int(run["held_out"])] if split == "val" else np.s_[int(run["held_out"]) :]
    return run["votes"][:, part].astype(float), run["truth"][part]


def dead(run: History) -> np.ndarray:
    """bool (levels,): whether the network puts DEAD or more of the test images into one class."""
    said = votes(run)[0].argmax(2)
    return np.array([np.bincount(level).max() >= DEAD * len(level) for level in said])


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
                lead = sum(int(mask.sum()) for mask in observables.used(*masks))
                used[n, level] = lead / sum(mask.size for mask in masks)
        found[name] = {
            "density": np.array([[run.density(level) for level in levels] for run in runs]).mean(0),
            "effective": used.mean(0),
            "test": np.stack([run.accuracy("test", "last")[: len(levels)] for run in runs]),
            "dead": np.stack([dead(run)[: len(levels)] for run in runs]),
        }
    return found


def distance(ones: list[History], others: list[History]) -> dict[str, np.ndarray]:
    """Jaccard distance between the masks of two conditions, of the same seeds: PF3, PF4, PF9, PF11.

    returns : (runs, levels, layers) distance, and chance, what masks with as many weights drawn at random have; dead
              (runs, levels), whether one of the two networks is
    """
    levels = min(common(ones), common(others)) + 1
    found = {"distance": [], "chance": []}
    for one, other in zip(ones, others, strict=True):
        pairs = [
            [(one.mask(level, layer), other.mask(level, layer)) for layer in range(1, one.layers + 1)]
            for level in range(levels)
        ]
        found["distance"].append([[1 - jaccard(*pair) for pair in row] for row in pairs])
        found["chance"].append(
            [[1 - observables.chance_jaccard(a.sum(), b.sum(), a.size) for a, b in row] for row in pairs]
        )
    gone = [(dead(one)[:levels] | dead(other)[:levels]) for one, other in zip(ones, others)]
    return {name: np.array(values) for name, values in found.items()} | {"dead": np.array(gone)}


def distances(groups: Groups, reference: list[History]) -> dict[str, dict[str, np.ndarray]]:
    """`distance` of every condition to the runs `reference`."""
    return {name: distance(reference, runs) for name, runs in groups.items()}


def by_layer(found: dict[str, dict[str, np.ndarray]], layers: list[str], chosen=None) -> dict[str, dict]:
    """`distances` a layer at a time, without level 0, where nothing differs yet.

    chosen  : names of layers, default: all
    returns : layer -> condition -> level (levels,); (runs, levels) distance, chance, and excess, chance minus distance
    """
    return {
        layer: {
            name: {
                "level": np.arange(1, rows["distance"].shape[1]),
                "distance": rows["distance"][:, 1:, n],
                "chance": rows["chance"][:, 1:, n],
                "excess": rows["chance"][:, 1:, n] - rows["distance"][:, 1:, n],
            }
            for name, rows in found.items()
        }
        for n, layer in enumerate(layers)
        if layer in (chosen or layers)
    }


def over_layers(panels: dict[str, dict], name: str, level: int, what: str = "distance") -> np.ndarray:
    """(runs,): of `by_layer`, one array of one condition at `level`, mean over the layers."""
    return np.mean([conditions[name][what][:, level - 1] for conditions in panels.values()], 0)


def doublings(panels: dict[str, dict], name: str, level: int) -> np.ndarray:
    """(runs,): growth of the mean distance from 2 * level to 4 * level, over that from level to 2 * level; 1 if it grows like the logarithm."""
    at = [over_layers(panels, name, times * level) for times in (1, 2, 4)]
    return (at[2] - at[1]) / (at[1] - at[0])


def all_pairs(runs: dict[str, History]) -> dict:
    """What widgets.SimilarityExplorer shows of one run a method.

    returns : methods, layers, names; distance and chance, (levels, layers, methods, methods), from level 1 on; accuracy and dead,
              (1 + levels, methods); removed_at, layer by layer the arrays of all methods
    """
    names, first = list(runs), next(iter(runs.values()))
    levels = common(list(runs.values()))
    found = {
        what: np.zeros((levels, first.layers, len(names), len(names))) for what in ("distance", "chance")
    }
    for a, b in itertools.combinations(range(len(names)), 2):
        rows = distance([runs[names[a]]], [runs[names[b]]])
        for what, values in found.items():
            values[:, :, a, b] = values[:, :, b, a] = rows[what][0, 1 : levels + 1]
    return found | {
        "methods": names,
        "layers": first.layer_names,
        "accuracy": np.stack([run.accuracy("test", "last")[: levels + 1] for run in runs.values()], 1),
        "dead": np.stack([dead(run)[: levels + 1] for run in runs.values()], 1),
        "removed_at": [
            [run.removed_at(layer) for run in runs.values()] for layer in range(1, first.layers + 1)
        ],
    }


def structure(groups: Groups, layer: int, draws: int = 20) -> dict[str, dict[str, np.ndarray]]:
    """Do the weights of one layer survive in whole inputs, or in whole outputs? PF5, PF15.

    returns : condition -> (runs, levels) inputs, outputs: variance of the number kept of each input (output) over that of random pruning;
              gone: number of inputs of which nothing is kept; and null, mean of `inputs` over masks with as many kept weights anywhere;
              nan where all or nothing is kept
    """
    draw, found = np.random.default_rng(0), {}
    for name, runs in groups.items():
        rows = []
        for run in runs:
            for level in range(common(runs) + 1):
                mask = run.mask(level, layer)
                outputs, inputs = mask.reshape(len(mask), -1), mask.swapaxes(0, 1).reshape(mask.shape[1], -1)
                shuffled = [draw.permuted(inputs.ravel()).reshape(inputs.shape) for _ in range(draws)]
                rows.append(
                    [
                        observables.degree_excess(inputs),
                        observables.degree_excess(outputs),
                        (~inputs.any(1)).sum(),
                        np.mean([observables.degree_excess(other) for other in shuffled]),
                    ]
                )
        values = np.array(rows, float).reshape(len(runs), -1, 4)
        found[name] = dict(zip(("inputs", "outputs", "gone", "null"), np.moveaxis(values, 2, 0)))
    return found


def last_scores(name: str, run: History, count: int) -> dict:
    """Row and column scores of the first `count` convolutions of one run at its last level: PF15.

    returns : rows of words, one a layer: NAME and layer, share kept, both scores; and for claims.check, row, the smallest row score of
              the layers behind the first, and column, the smallest column score, each with a standard error over inputs (outputs)
    """
    words, scores = [], {"row": [], "column": []}
    for n, layer in enumerate(run.layer_names[:count], 1):
        mask = run.mask(run.levels, n)
        sides = {"row": mask.swapaxes(0, 1).reshape(mask.shape[1], -1), "column": mask.reshape(len(mask), -1)}
        for side, matrix in sides.items():
            if len(matrix) > 1:
                error = observables.jackknife(observables.degree_excess, matrix, min(10, len(matrix)))
                scores[side].append((observables.degree_excess(matrix), float(error)))
        row = f"{scores['row'][-1][0]:.1f}" if mask.shape[1] > 1 else "–"
        words.append(
            [f"{name}, {layer}", f"{100 * mask.mean():.2g} %", row, f"{scores['column'][-1][0]:.1f}"]
        )
    least = {side: dict(zip(("values", "error"), min(found))) for side, found in scores.items()}
    return {"rows": words} | least


def on_maps(groups: Groups, layer: int, channels: int) -> dict[str, dict[str, np.ndarray]]:
    """`structure` of a linear layer behind `channels` square maps, and localization, (runs, levels), of its units on these."""
    found = structure(groups, layer)
    for name, runs in groups.items():
        rows = []
        for run in runs:
            side = round((run.removed_at(layer).shape[1] / channels) ** 0.5)
            masks = [run.mask(level, layer) for level in range(common(runs) + 1)]
            local = [observables.localization(mask, (channels, side, side)) for mask in masks]
            rows.append([np.nanmean(some) if np.isfinite(some).any() else np.nan for some in local])
        found[name]["localization"] = np.array(rows)
    return found


def with_levels(table: dict[str, dict[str, np.ndarray]], what: str) -> dict[str, dict[str, np.ndarray]]:
    """One array, (runs, levels), of every condition, with its levels but the dense one: what figures.panels draws as `score`."""
    return {
        name: {"level": np.arange(1, rows[what].shape[1]), "score": rows[what][:, 1:]}
        for name, rows in table.items()
    }


def stability(groups: Groups, what: str = "change") -> dict[str, dict[str, np.ndarray]]:
    """How much the weights of a layer change from one level to the next: PF8.

    what    : change, relative or order, see evolution.pack
    returns : condition -> layer -> (runs,), mean over the levels at which the network and the one before are not dead
    """
    found = {}
    for name, runs in groups.items():
        kept = [~(dead(run)[1:] | dead(run)[:-1]) for run in runs]
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
    """Weights of one layer at the start and after the training of every level, nan from where they are pruned: PF6, PF7, PF16.

    returns : (1 + levels, weights)
    """
    removed_at = run[f"removed_at/{layer}.weight"].ravel()
    values = run[f"weights/{layer}.weight"].astype(float).reshape(-1, len(removed_at))
    values[removed_at <= np.arange(len(values))[:, None]] = np.nan
    return np.concatenate([run[f"initial/{layer}.weight"].astype(float).reshape(1, -1), values])


def unanimity(groups: Groups, level: int) -> dict[str, np.ndarray]:
    """Share of the test images of which two networks of one seed say the same, mean over seeds: PF14.

    returns : agree (methods, methods), over the seeds in which neither network is dead, nan where there is none; chance: the same
              were their errors independent, sum over the classes of the products of their confusions; dead (methods,), share of the seeds
    """
    runs = list(groups.values())
    said = np.array([[votes(run)[0][level].argmax(1) for run in some] for some in runs])
    truth = votes(runs[0][0])[1]
    gone = np.array([[dead(run)[level] for run in some] for some in runs])
    count, seeds = gone.shape
    agree, chance = np.full((2, count, count, seeds), np.nan)
    for (a, b), seed in itertools.product(itertools.product(range(count), repeat=2), range(seeds)):
        if not (gone[a, seed] or gone[b, seed]):
            agree[a, b, seed] = (said[a, seed] == said[b, seed]).mean()
            chance[a, b, seed] = 1.0 if a == b else _independent(said[a, seed], said[b, seed], truth)
    there = np.isfinite(agree).any(2)
    means = [
        np.where(there, np.nansum(values, 2) / np.maximum(np.isfinite(values).sum(2), 1), np.nan)
        for values in (agree, chance)
    ]
    return {"agree": means[0], "chance": means[1], "dead": gone.mean(1)}


def _independent(one: np.ndarray, other: np.ndarray, truth: np.ndarray) -> float:
    """Share of agreement of two networks that, given the true class, say what they say independently of each other."""
    classes = 1 + max(one.max(), other.max(), truth.max())
    total = 0.0
    for true in np.unique(truth):
        shares = [
            np.bincount(said[truth == true], minlength=classes) / (truth == true).sum()
            for said in (one, other)
        ]
        total += (truth == true).mean() * (shares[0] * shares[1]).sum()
    return float(total)


def ensembles(groups: Groups, trio: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Test accuracy of single networks and of mean probabilities: PFT2.

    trio    : the three methods whose mean the paper shows
    returns : (runs, levels): every method by its name; best, the method with the highest validation accuracy; all, mean of all; trio;
              chosen, the subset of at most three methods whose mean is best on the validation images; and
              subset, (runs, levels), the number of that subset in `subsets`
    """
    names, seeds = list(groups), len(next(iter(groups.values())))
    levels = 1 + min(common(runs) for runs in groups.values())
    split = {
        part: [[votes(run, part) for run in runs] for runs in groups.values()] for part in ("val", "test")
    }
    chosen = subsets(names)

    def accuracies(members, part, seed):
        said = np.mean([split[part][names.index(name)][seed][0][:levels] for name in members], 0)
        return (said.argmax(2) == split[part][0][seed][1]).mean(1)

    found = {name: np.array([accuracies([name], "test", seed) for seed in range(seeds)]) for name in names}
    found["all"] = np.array([accuracies(names, "test", seed) for seed in range(seeds)])
    found["trio"] = np.array([accuracies(trio, "test", seed) for seed in range(seeds)])
    many = {
        part: np.array([[accuracies(members, part, seed) for members in chosen] for seed in range(seeds)])
        for part in split
    }  # (runs, subsets, levels)
    for what, count in (("best", len(names)), ("chosen", len(chosen))):
        pick = many["val"][:, :count].argmax(1)
        found[what] = np.take_along_axis(many["test"], pick[:, None], 1)[:, 0]
    return found | {"subset": pick}


def ensemble_rows(found: dict[str, np.ndarray], names: list[str]) -> list[list[str]]:
    """Rows of words from `ensembles`, one a level from 1 on: means over runs, in percent."""
    levels = range(1, found[names[0]].shape[1])
    return [
        [str(level), *(f"{100 * found[name][:, level].mean():.1f}" for name in names)] for level in levels
    ]


def subsets(names: list[str], most: int = 3) -> list[tuple[str, ...]]:
    """All sets of one to `most` names, the small ones first."""
    return [members for size in range(1, most + 1) for members in itertools.combinations(names, size)]


def parameters_left(counts: dict[str, int], fractions: tuple[float, ...]) -> dict[str, list[float]]:
    """Thousands of parameters left of networks with `counts` of them, where a fraction is pruned: PFT1."""
    return {name: [(1 - fraction) * count / 1000 for fraction in fractions] for name, count in counts.items()}


def largest_difference(ones: dict[str, list[float]], others: dict[str, list[float]]) -> float:
    """The largest difference, either way, between numbers of the same name and place."""
    return max(abs(a - b) for name, row in ones.items() for a, b in zip(row, others[name], strict=True))
