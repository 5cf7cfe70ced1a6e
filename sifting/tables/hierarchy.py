"""How layers build on each other: what feeds a unit; networks pruned one layer at a time."""

import numpy as np

from sifting import observables
from sifting.results.history import History
from sifting.results.masks import effective
from sifting.tables.basics import common, densities, local_units, shape, stacked
from sifting.tables.units import probe

REWIRED = 10  # draws of connections at random, with all degrees kept


def feeders(run: History, level: int, layer: int, count: int) -> list[np.ndarray]:
    """For every unit of a layer, the units of the layer below with the strongest connections.

    At most `count`, strongest first. Pruned connections are left out, and units that no input reaches.
    """
    kept = run.mask(level, layer) & run.effective(level, layer - 1).any(1)
    strength = np.where(kept, np.abs(run.weights(level, layer)), -1)
    order = np.argsort(-strength, axis=1, kind="stable")
    return [row[: min(count, number)] for row, number in zip(order, kept.sum(1))]


def tree(run: History, level: int, layer: int, unit: int, count: int = 4) -> list[dict]:
    """What feeds a unit, and what feeds that, down to layer 1: PB16.

    At each step the `count` strongest.

    returns : from `layer` down to 1, for each layer
              layer  : its number
              units  : (nodes,)
              parent : (nodes,) the place of each node's unit above in the layer before
              masks  : bool (nodes, channels, height, width), effective
    """
    units, parent, rows = np.array([unit]), np.array([0]), []
    for number in range(layer, 0, -1):
        masks = run.effective(level, number)[units].reshape(-1, *shape(run))
        rows.append({"layer": number, "units": units, "parent": parent, "masks": masks})
        if number > 1:
            inputs = feeders(run, level, number, count)
            below = [inputs[unit] for unit in units]
            parent = np.repeat(np.arange(len(units)), [len(part) for part in below])
            units = np.concatenate(below)
    return rows


def deepest(run: History, count: int = 4) -> list[dict]:
    """`tree` of the clearest unit of the last layer that a layerwise run has pruned: PB16.

    Which that is, tables.basics.local_units says.
    """
    layer, level = run.config.layerwise, run.outcome
    [unit] = local_units(run, level, 1, layer)
    return tree(run, level, layer, unit, count)


def composition(run: History, stimuli: History, level: int, count: int = 8, inputs: int = 6) -> dict:
    """Second-layer units, images that drive them and first-layer units that feed them: PB15.

    The `count` most localized of the most connected units for which images were looked up, and the
    `inputs` strongest of what feeds each.

    units   : (count,)
    masks   : bool (count, channels, height, width), effective
    images  : uint8 (count, 3, channels, height, width)
    weights : list of float32 (inputs or fewer, channels, height, width), trained weights of layer 1
    """
    probed = probe(stimuli, "units/2", level)
    units = local_units(run, level, count, layer=2, among=len(probed))
    images = probe(stimuli, "images/2", level)
    first, below = run.weights(level), feeders(run, level, 2, inputs)
    return {
        "units": units,
        "masks": run.effective(level, 2)[units].reshape(-1, *shape(run)),
        "images": np.stack([images[probed.tolist().index(unit)] for unit in units]),
        "weights": [first[below[unit]].reshape(-1, *shape(run)) for unit in units],
    }


def feeding(runs: list[History], levels: list[int] | None = None, layer: int = 2) -> dict[str, np.ndarray]:
    """Are the units that feed one unit of `layer` nearer and more alike than others? PB15.

    Each number is a mean over pairs of units that feed the same unit (observables.similarity.fed_together),
    of their effective masks; NAME_random: the same with the connections dealt out anew, every unit of both
    layers keeping as many as it has (observables.connectivity.rewire), mean over REWIRED draws.

    levels   : default: of every run the level of its outcome
    returns  : distance (of centers, pixels), form (likeness), overlap (Jaccard index) and the three
               NAME_random, (runs, levels) each; density (levels,) of the first layer, with `levels`
    """
    draw = np.random.default_rng(0)
    table = stacked(
        [[_feeding(run, level, layer, draw) for level in levels or [run.outcome]] for run in runs]
    )
    return table | ({"density": densities(runs)[levels]} if levels else {})


def _feeding(run: History, level: int, layer: int, draw: np.random.Generator) -> dict[str, float]:
    """The columns of `feeding` for one level of a run."""
    below, mask, size = run.effective(level, layer - 1), run.mask(level, layer), shape(run)
    pairs = {
        "distance": observables.similarity.center_distance(below, size),
        "form": observables.similarity.form_similarity(below, size),
        "overlap": observables.similarity.overlap(below),
    }
    draws = [observables.connectivity.rewire(mask, draw) for _ in range(REWIRED)]
    found = {name: observables.similarity.fed_together(mask, values) for name, values in pairs.items()}
    return found | {
        f"{name}_random": np.mean([observables.similarity.fed_together(other, values) for other in draws])
        for name, values in pairs.items()
    }


def last_levels(runs: list[History], step: int = 2) -> list[int]:
    """Every `step`-th pruned level up to the last that all runs reached, that included; without one, 0."""
    return list(range(common(runs), 0, -step))[::-1] or [0]


def excess(table: dict[str, np.ndarray], name: str) -> np.ndarray:
    """How far a number of `feeding` or `growth` lies above that of random connections.

    returns : (runs, levels), as a share of that
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return table[name] / table[f"{name}_random"] - 1


def growth(runs: list[History], layers: int = 3) -> dict[str, np.ndarray]:
    """How receptive fields grow from layer to layer in the networks that came out: PB16.

    inputs : (runs, layers) mean number of inputs of the network that reach a unit
    radius : (runs, layers) mean radius of the effective masks, in pixels
    share  : (runs, layers) density of the layer
    inputs_random, radius_random : with the connections into the layer dealt out anew, as in `feeding`; nan
             for layer 1

    The means are over the units that any input reaches.
    """
    draw = np.random.default_rng(0)
    return stacked([[_growth(run, layer + 1, draw) for layer in range(layers)] for run in runs])


def _growth(run: History, layer: int, draw: np.random.Generator) -> dict[str, float]:
    """The columns of `growth` for one layer of a run."""
    *below, last = (run.mask(run.outcome, n + 1) for n in range(layer))
    draws = [observables.connectivity.rewire(last, draw) for _ in range(REWIRED * bool(below))]
    found = _extent(effective(*below, last), shape(run))
    random = [_extent(effective(*below, other), shape(run)) for other in draws] or [(np.nan, np.nan)]
    numbers = (*found, *np.mean(random, axis=0), last.mean())
    return dict(zip(("inputs", "radius", "inputs_random", "radius_random", "share"), numbers, strict=True))


def _extent(mask: np.ndarray, size: tuple) -> tuple[float, float]:
    """Number of inputs and radius, means over the units that have any input."""
    mask = mask[mask.any(1)]
    if not len(mask):
        return np.nan, np.nan
    return mask.sum(1).mean(), observables.similarity.radius(mask, size).mean()


def turns(runs: list[History]) -> list[list[dict]]:
    """Accuracy as one layer after another is pruned: PB16.

    returns : for every layer and run
              density : (points,) of the layer, 1 first
              best    : (points,) validation accuracy, early stopped
              frozen  : the point at which the layer stays
              dense   : accuracy of the dense network
    """
    return [[_turn(run, layer + 1) for run in runs] for layer in range(runs[0].config.layerwise)]


def _turn(run: History, layer: int) -> dict:
    mine = np.flatnonzero(run["layer"] == layer)
    back, best = run["taken_back"], run.accuracy("val")
    before = [level for level in range(mine[0] if len(mine) else len(best)) if not back[level]][-1]
    points = [before, *mine]
    return {
        "density": np.array([1, *run["tried"][mine]]),
        "best": best[points],
        "frozen": int(np.flatnonzero(~back[points])[-1]),
        "dense": best[0],
    }


def frozen(runs: list[History]) -> dict[str, np.ndarray]:
    """What came out of pruning one layer at a time: PB16.

    density : (runs, layers) at which each layer was frozen
    gain    : (runs,) test accuracy of the network that came out minus that of the dense one, each early
              stopped on the validation images
    """
    density = [[run.density(run.outcome, n + 1) for n in range(run.config.layerwise)] for run in runs]
    test = [run.accuracy("test") for run in runs]
    return {
        "density": np.array(density),
        "gain": np.array([values[run.outcome] - values[0] for run, values in zip(runs, test)]),
    }
