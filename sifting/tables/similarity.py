"""Tables of how alike the masks of two methods are, beside chance."""

import itertools

import numpy as np

from sifting import observables
from sifting.results.history import History
from sifting.results.masks import jaccard
from sifting.tables.basics import Groups, common, level_near
from sifting.tables.predictions import dead
from sifting.tables.structure import by_input

Panels = dict[str, dict[str, dict[str, np.ndarray]]]  # layer -> condition -> name -> array


def distance(ones: list[History], others: list[History]) -> dict[str, np.ndarray]:
    """Jaccard distance between the masks of two conditions, seed by seed: PF3, PF4, PF9, PF11.

    returns : distance (runs, levels, layers); chance, its mean for masks drawn at random, see `apart`;
              dead (runs, levels), whether one of the two networks is
    """
    levels = range(min(common(ones), common(others)) + 1)
    found = {"distance": [], "chance": [], "dead": []}
    for one, other in zip(ones, others, strict=True):
        pairs = np.array([_layers_apart(one, other, level) for level in levels])  # (levels, layers, 2)
        found["distance"].append(pairs[..., 0])
        found["chance"].append(pairs[..., 1])
        found["dead"].append(dead(one)[: len(levels)] | dead(other)[: len(levels)])
    return {name: np.array(values) for name, values in found.items()}


def _layers_apart(one: History, other: History, level: int) -> list[tuple[float, float]]:
    layers = range(1, one.layers + 1)
    return [apart(one.mask(level, layer), other.mask(level, layer)) for layer in layers]


def apart(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Jaccard distance of two masks, (outputs, inputs, ...), and the mean of that of two random ones.

    These keep as many whole inputs where both masks keep whole inputs only, else as many weights.
    """
    drawn = [_inputs(one), _inputs(other)]
    if any(mask is None for mask in drawn):
        drawn = [one, other]
    sizes = [int(mask.sum()) for mask in drawn]
    return 1 - jaccard(one, other), 1 - observables.similarity.chance_jaccard(*sizes, drawn[0].size)


def _inputs(mask: np.ndarray) -> np.ndarray | None:
    """bool (inputs,): those that a mask keeps whole, if it keeps all of each or nothing; else None."""
    rows = by_input(mask)
    return rows.any(1) if np.array_equal(rows.any(1), rows.all(1)) else None


def rank_of_inputs(ones: list[History], others: list[History], level: int, layer: int) -> np.ndarray:
    """(runs,): do `others` keep the inputs of which `ones` keep most weights? 1 if there are none with more.

    Of all choices of as many inputs of a layer, how many have more of the weights that `ones` keep than the
    inputs of which `others` keep any; and one more. For layers of few inputs.
    """
    ranks = []
    for one, other in zip(ones, others, strict=True):
        counts, chosen = by_input(one.mask(level, layer)).sum(1), by_input(other.mask(level, layer)).any(1)
        sets = itertools.combinations(counts, int(chosen.sum()))
        ranks.append(1 + sum(sum(some) > counts[chosen].sum() for some in sets))
    return np.array(ranks)


def from_one(groups: Groups, name: str) -> dict[str, dict[str, np.ndarray]]:
    """`distance` of every other condition from the one of that name."""
    return {other: distance(groups[name], runs) for other, runs in groups.items() if other != name}


def from_rewound(groups: Groups, names: tuple[str, ...], words: tuple[str, ...]) -> dict[str, dict]:
    """`distance` of treatments from rewinding: method -> treatment -> arrays.

    groups : has conditions METHOD, which is rewound, and "METHOD, TREATMENT"
    """
    return {
        name: {word: distance(groups[name], groups[f"{name}, {word}"]) for word in words} for name in names
    }


def by_layer(found: dict[str, dict[str, np.ndarray]], layers: list[str], chosen=None) -> Panels:
    """Distances a layer at a time, without dead networks, and level 0, where none differ yet.

    found   : condition -> `distance`
    layers  : names of all its layers; chosen : of those to show, default: all
    returns : layer -> condition -> level (levels,); (runs, levels) distance, chance, and excess, which is
              chance minus distance
    """
    panels = {layer: {} for layer in chosen or layers}
    for (name, rows), layer in itertools.product(found.items(), panels):
        values, chance = (
            np.where(rows["dead"], np.nan, rows[what][:, :, layers.index(layer)])[:, 1:]
            for what in ("distance", "chance")
        )
        panels[layer][name] = {
            "level": np.arange(1, 1 + values.shape[1]),
            "distance": values,
            "chance": chance,
            "excess": chance - values,
        }
    return panels


def over_layers(panels: Panels, level: int, what: str = "distance") -> dict[str, np.ndarray]:
    """One array of `by_layer` at a level, mean over the layers: condition -> (runs,)."""
    names = next(iter(panels.values()))
    return {name: np.mean([rows[name][what][:, level - 1] for rows in panels.values()], 0) for name in names}


def margin(found: dict[str, np.ndarray], name: str) -> np.ndarray:
    """(runs,): by how much `name` is below the lowest of all others, by their means."""
    lowest = min((other for other in found if other != name), key=lambda other: found[other].mean())
    return found[lowest] - found[name]


def logarithmic_growth(panels: Panels, name: str, last: int, what: str = "distance") -> np.ndarray:
    """(runs,): does an array grow like the logarithm of the level, rather than like the level?

    Squared correlation of its mean over layers with the former, minus that with the latter, to level `last`.

    panels : of `by_layer`; name : of a condition; what : of an array
    """
    levels = np.arange(1, last + 1)
    rows = np.stack([over_layers(panels, level, what)[name] for level in levels], 1)
    logarithm, line = ([np.corrcoef(x, row)[0, 1] ** 2 for row in rows] for x in (np.log(levels), levels))
    return np.array(logarithm) - np.array(line)


def all_pairs(runs: dict[str, History]) -> dict:
    """What widgets.SimilarityExplorer shows of one run a method.

    returns : methods, layers: names; distance and chance (levels, layers, methods, methods), from level 1 on;
              accuracy and dead (1 + levels, methods); removed_at, layer by layer the arrays of all methods
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


def distances_at(groups: Groups, density: float, layer: int) -> dict[str, np.ndarray]:
    """Distance of every two conditions in one layer, whose runs may have levels of their own.

    Each is taken at its level nearest to `density` of the layer.

    returns : distance and chance (conditions, conditions, runs)
    """
    masks = [[run.mask(level_near(run, density, layer), layer) for run in runs] for runs in groups.values()]
    count, seeds = len(masks), len(masks[0])
    pairs = np.zeros((count, count, seeds, 2))
    for a, b, seed in itertools.product(range(count), range(count), range(seeds)):
        if a != b:
            pairs[a, b, seed] = apart(masks[a][seed], masks[b][seed])
    return {"distance": pairs[..., 0], "chance": pairs[..., 1]}


def excess(found: dict[str, np.ndarray], names: list[str], one: str, other: str) -> np.ndarray:
    """(runs,): of `distances_at`, chance minus distance between two of the conditions `names`."""
    place = names.index(one), names.index(other)
    return found["chance"][place] - found["distance"][place]
