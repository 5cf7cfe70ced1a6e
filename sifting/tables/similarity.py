"""Tables of how alike the masks of two methods are, beside chance."""

import itertools

import numpy as np

from sifting import observables
from sifting.results.history import History
from sifting.results.masks import jaccard
from sifting.tables.basics import Groups, common, level_near
from sifting.tables.methods import dead


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
            [
                [1 - observables.paths.chance_jaccard(a.sum(), b.sum(), a.size) for a, b in row]
                for row in pairs
            ]
        )
    gone = [(dead(one)[:levels] | dead(other)[:levels]) for one, other in zip(ones, others)]
    return {name: np.array(values) for name, values in found.items()} | {"dead": np.array(gone)}


def distances(groups: Groups, reference: list[History]) -> dict[str, dict[str, np.ndarray]]:
    """`distance` of every condition to the runs `reference`."""
    return {name: distance(reference, runs) for name, runs in groups.items()}


def by_layer(found: dict[str, dict[str, np.ndarray]], layers: list[str], chosen=None) -> dict[str, dict]:
    """`distances` a layer at a time, without level 0, where nothing differs yet, and without dead networks.

    chosen  : names of layers, default: all
    returns : layer -> condition -> level (levels,); (runs, levels) distance, chance, and excess, chance minus distance
    """
    panels = {layer: {} for layer in chosen or layers}
    for name, rows in found.items():
        gone = rows.get("dead", np.zeros(rows["distance"].shape[:2], bool))
        for layer in panels:
            values, chance = (
                np.where(gone, np.nan, rows[what][:, :, layers.index(layer)])[:, 1:]
                for what in ("distance", "chance")
            )
            levels = np.arange(1, 1 + values.shape[1])
            panels[layer][name] = {
                "level": levels,
                "distance": values,
                "chance": chance,
                "excess": chance - values,
            }
    return panels


def over_layers(panels: dict[str, dict], name: str, level: int, what: str = "distance") -> np.ndarray:
    """(runs,): of `by_layer`, one array of one condition at `level`, mean over the layers."""
    return np.mean([conditions[name][what][:, level - 1] for conditions in panels.values()], 0)


def lead(found: dict[str, np.ndarray], name: str) -> np.ndarray:
    """(runs,): by how much the array of `name` is below the one that is lowest of all others, by their means."""
    nearest = min((other for other in found if other != name), key=lambda other: found[other].mean())
    return found[nearest] - found[name]


def logarithmic(panels: dict[str, dict], name: str, last: int, what: str = "distance") -> np.ndarray:
    """(runs,): squared correlation of the distance, or of chance, mean over layers, with the logarithm of the level, minus that with the level itself; up to level `last`."""
    rows = np.stack([over_layers(panels, name, level, what) for level in range(1, last + 1)], 1)
    levels = np.arange(1, last + 1)
    return np.array(
        [np.corrcoef(np.log(levels), row)[0, 1] ** 2 - np.corrcoef(levels, row)[0, 1] ** 2 for row in rows]
    )


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


def distances_at(groups: Groups, density: float, layer: int) -> dict[str, np.ndarray]:
    """Distance of every two conditions whose runs have levels of their own, each at the level nearest to `density` of `layer`.

    returns : (conditions, conditions, runs) distance and chance
    """
    masks = [[run.mask(level_near(run, density, layer), layer) for run in runs] for runs in groups.values()]
    count, seeds = len(masks), len(masks[0])
    found = {"distance": np.zeros((count, count, seeds)), "chance": np.zeros((count, count, seeds))}
    for a, b, seed in itertools.product(range(count), range(count), range(seeds)):
        if a != b:
            one, other = masks[a][seed], masks[b][seed]
            found["distance"][a, b, seed] = 1 - jaccard(one, other)
            found["chance"][a, b, seed] = 1 - observables.paths.chance_jaccard(
                one.sum(), other.sum(), one.size
            )
    return found


def nearer(found: dict[str, np.ndarray], names: list[str], one: str, other: str) -> np.ndarray:
    """(runs,): of `distances_at`, chance minus distance between two of the conditions `names`."""
    place = names.index(one), names.index(other)
    return found["chance"][place] - found["distance"][place]
