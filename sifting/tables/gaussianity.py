"""How far from Gaussian images and units are: components, clones, kurtosis."""

import numpy as np

from sifting import observables
from sifting.observables.gaussianity import GAUSSIAN
from sifting.results.history import History
from sifting.tables.basics import Groups, common, densities, shape
from sifting.tables.conditions import at_density, compare
from sifting.tables.words import number
from sifting.tables.worth import rank


def components(history: History) -> dict[str, dict[str, np.ndarray]]:
    """Independent and principal components of images: RD2.

    returns : method -> rows (components, channels, height, width), the most local first; in that order,
              (components,): kurtosis; localization; and spread, see `participation`
    """
    found = {}
    for method in ("ica", "pca"):
        local = history[f"{method}/localization"]
        order = np.argsort(-np.nan_to_num(local, nan=-1), kind="stable")
        rows = history[method][order].reshape(-1, *history["shape"])
        found[method] = {
            "rows": rows,
            "spread": participation(rows),
            "localization": local[order],
            "kurtosis": history[f"{method}/kurtosis"][order],
        }
    return found


def participation(rows: np.ndarray) -> np.ndarray:
    """The share of the n pixels that each of some components is spread over.

        (sum e)^2 / (n sum e^2)        e: sum over the channels of the squared weights of a pixel

    rows    : (components, channels, height, width)
    returns : (components,), 1 where all pixels have the same part, 1 / n where one pixel has all
    """
    energy = (rows.astype(float) ** 2).sum(1).reshape(len(rows), -1)
    return energy.sum(1) ** 2 / (energy**2).sum(1) / energy.shape[1]


def likeness(clones: dict[str, History]) -> dict[str, dict[str, np.ndarray]]:
    """What clones share with their originals: RD3A.

    returns : kind of clone -> arrays over its classes, (classes,): mean, covariance, sampling, spectrum;
              kurtosis of pixels and projections, of the originals under pixels_original and
              projections_original; images; rank
    """
    names = ("mean", "covariance", "sampling", "spectrum", "images", "rank")
    kinds = {
        f"{what}{end}": f"{what}/{whose}"
        for what in ("pixels", "projections")
        for end, whose in (("", "clone"), ("_original", "original"))
    }
    return {
        kind: {name: history[name] for name in names}
        | {name: history[stored] for name, stored in kinds.items()}
        for kind, history in clones.items()
    }


def shown(clones: dict[str, History], classes: int = 15) -> dict[str, np.ndarray]:
    """One image of a class, and one of each of its clones: RD3A.

    returns : originals and kind of clone -> (classes, channels, height, width), normalized; `classes` of
              them, evenly spaced
    """
    first = next(iter(clones.values()))["shown/original"]
    rows = {"photographs": first} | {kind: history["shown/clone"] for kind, history in clones.items()}
    found = {}
    for kind, pictures in rows.items():
        chosen = np.linspace(0, len(pictures) - 1, min(classes, len(pictures))).round().astype(int)
        found[kind] = pictures[chosen, 0].astype(np.float32)
    return found


def kurtosis(groups: Groups) -> dict[str, dict[str, np.ndarray]]:
    """Kurtosis K of first-layer preactivations in every condition, at every level: RD4.

    returns : as compare, with (runs, levels) arrays besides, of the rewound network:
              mean, median            : over units, of K over all images together
              distance                : mean over units of |K - 3|, likewise
              class_mean, pair_median : over units and classes, of K over the images of each class
              and of the trained network: trained and class_trained, as mean and class_mean
    """
    table = compare(groups)
    for name, runs in groups.items():
        rewound = _levels(runs, "kurtosis/rewound")
        table[name] |= {
            "mean": np.nanmean(rewound, 2),
            "median": np.nanmedian(rewound, 2),
            "distance": np.nanmean(abs(rewound - GAUSSIAN), 2),
            "class_mean": np.nanmean(_levels(runs, "class_mean/rewound"), 2),
            "pair_median": _levels(runs, "pair_median/rewound"),
            "trained": np.nanmean(_levels(runs, "kurtosis/trained"), 2),
            "class_trained": np.nanmean(_levels(runs, "class_mean/trained"), 2),
        }
    return table


def _levels(runs: list[History], stored: str) -> np.ndarray:
    """(runs, levels, ...): an array of each run, at the levels that all of them reached."""
    return np.stack([run[stored][: common(runs) + 1] for run in runs])


# what may lead to what, from one level to the next, among units alike in what is given
LEADS = {
    "from kurtosis to the next Λ": ("kurtosis", "next local", ("local", "inputs")),
    "from Λ to the next kurtosis": ("local", "next kurtosis", ("kurtosis", "inputs")),
}


def loop(groups: Groups) -> dict[str, dict[str, dict[str, np.ndarray]]]:
    """Does what a unit is at one level tell what it is at the next? Partial rank correlations over units.

    Of a unit's kurtosis K and localization Λ one is taken now, and the other at the next level, given what
    that is now, and the number of inputs. K is that of the network at the rewind point.

    returns : of LEADS -> condition -> density (levels,); value (runs, levels), nan where too few units have
              both; and mean (runs,) over the levels
    """
    found = {lead: {} for lead in LEADS}
    for name, runs in groups.items():
        levels = range(1, common(runs))
        units = [[_from_one_to_next(run, level) for level in levels] for run in runs]
        for lead, (one, other, given) in LEADS.items():
            value = np.array([[rank(some, one, other, given) for some in row] for row in units])
            mean = np.nanmean(value, 1)
            found[lead][name] = {"density": densities(runs)[1:-1], "value": value, "mean": mean}
    return found


def _from_one_to_next(run: History, level: int) -> dict[str, np.ndarray]:
    """(units,): inputs, and localization and kurtosis at a level and at the next."""
    both = {"": level, "next ": level + 1}
    local = {
        f"{when}local": observables.locality.localization(run.mask(at), shape(run))
        for when, at in both.items()
    }
    kurtosis = {f"{when}kurtosis": run["kurtosis/rewound"][at].astype(float) for when, at in both.items()}
    return local | kurtosis | {"inputs": run.mask(level).sum(1).astype(float)}


def at_last(table: dict[str, dict[str, np.ndarray]]) -> dict[str, dict[str, np.ndarray]]:
    """What `kurtosis` or conditions.compare has of each run, at the last level alone.

    returns : condition -> quantity -> (runs,)
    """
    shared = ("density", "layers")  # means over runs
    return {
        name: {what: values[:, -1] for what, values in rows.items() if what not in shared}
        for name, rows in table.items()
    }


def rise(values: np.ndarray) -> np.ndarray:
    """(runs,): the last level minus the dense network; values : (runs, levels)."""
    return values[:, -1] - values[:, 0]


def ends(values: np.ndarray) -> dict[str, np.ndarray]:
    """The last and the first of several conditions, as basics.versus; values : (runs, conditions)."""
    return {"values": values[:, -1], "against": values[:, 0]}


def rising(values: np.ndarray) -> np.ndarray:
    """(runs,): share of the levels at which something rises; values : (runs, levels)."""
    return (np.diff(values, axis=1) > 0).mean(1)


def kurtosis_by_inputs(groups: Groups, level: int, bins: int = 6) -> dict[str, dict[str, np.ndarray]]:
    """Kurtosis of the rewound units at `level`, by how many inputs they keep.

    With few inputs, no central limit is at work.

    returns : condition -> inputs (bins,), mean number in each of `bins` groups of equally many units, all
              runs together; kurtosis (bins,), mean over the units, and error (bins,), its standard error
    """
    found = {}
    for name, runs in groups.items():
        inputs = np.concatenate([_inputs(run, level) for run in runs])
        values = np.concatenate([run["kurtosis/rewound"][level] for run in runs])
        there = np.isfinite(values) & (inputs > 2)
        parts = np.array_split(np.argsort(inputs[there], kind="stable"), bins)
        inputs, values = inputs[there], values[there]
        found[name] = {
            "inputs": np.array([inputs[part].mean() for part in parts]),
            "kurtosis": np.array([values[part].mean() for part in parts]),
            "error": np.array([values[part].std(ddof=1) / len(part) ** 0.5 for part in parts]),
        }
    return found


def kurtosis_at_inputs(groups: Groups, level: int, null: str = "random") -> dict[str, np.ndarray]:
    """Kurtosis of the rewound units with about as many inputs as those of the condition `null`.

    returns : condition -> (runs,), mean over the units of layer 1 whose in-degree lies within the middle nine
              tenths of those of `null`
    """
    low, high = np.quantile(np.concatenate([_inputs(run, level) for run in groups[null]]), [0.05, 0.95])
    return {
        name: np.array([_between(run, level, low, high) for run in runs]) for name, runs in groups.items()
    }


def _between(run: History, level: int, low: float, high: float) -> float:
    """Mean kurtosis of the rewound units that keep `low` to `high` inputs."""
    inputs = _inputs(run, level)
    return np.nanmean(run["kurtosis/rewound"][level][(low <= inputs) & (inputs <= high)])


def _inputs(run: History, level: int) -> np.ndarray:
    """(units,): inputs that each unit of layer 1 keeps."""
    return observables.connectivity.in_degree(run.mask(level))


def against_gain(groups: Groups, density: float) -> dict[str, np.ndarray]:
    """Does locality follow non-Gaussianity? Fields of one gain a condition, near `density`.

    returns : gain (conditions,); (runs, conditions): kurtosis, of the rewound units, mean over units;
              localization; and input, the kurtosis of a pixel, the same in all runs
    """
    found = {"gain": [], "input": [], "kurtosis": [], "localization": []}
    for values, runs in zip(at_density(kurtosis(groups), density).values(), groups.values(), strict=True):
        found["gain"].append(runs[0].config.gain)
        found["input"].append([run["input_kurtosis"] for run in runs])
        found["kurtosis"].append(values["mean"])
        found["localization"].append(values["localization"])
    gain = np.array(found.pop("gain"))
    return {"gain": gain} | {name: np.stack(rows, 1) for name, rows in found.items()}


def with_clones(groups: Groups) -> tuple[Groups, Groups]:
    """Fields of every gain, and their Gaussian clones, by the names of the fields."""
    end = ", Gaussian clone"
    fields = {name: runs for name, runs in groups.items() if not name.endswith(end)}
    return fields, {name: groups[name + end] for name in fields}


def neighbor_rows(samples: dict[str, np.ndarray]) -> list[list[str]]:
    """Rows of words: correlation of pixels with their neighbors in the row and in the column.

    samples : name -> images of one class after another, (images, channels, height, width), mean 0; those of
              the first sixth are looked at, the first class of the fields
    """
    found = []
    for name, images in samples.items():
        some = images[: len(images) // 6]
        pairs = ((some[..., :-1], some[..., 1:]), (some[..., :-1, :], some[..., 1:, :]))
        found.append([name, *(number(np.corrcoef(a.ravel(), b.ravel())[0, 1], 2) for a, b in pairs)])
    return found


def mean_and_error(values: np.ndarray) -> dict[str, float]:
    """Mean and standard error over the values that are there, which claims.check takes."""
    there = values[np.isfinite(values)]
    return {"values": there.mean(), "error": there.std(ddof=1) / len(there) ** 0.5}


def difference_and_error(values: np.ndarray, others: np.ndarray) -> dict[str, float]:
    """Difference of two means and its standard error, as `mean_and_error`."""
    one, other = mean_and_error(values), mean_and_error(others)
    return {"values": one["values"] - other["values"], "error": np.hypot(one["error"], other["error"])}


def likeness_rows(kinds: dict[str, dict[str, np.ndarray]]) -> list[list[str]]:
    """Rows of words from `likeness`: means over classes."""
    shares = ("mean", "covariance", "sampling", "spectrum")
    return [
        [
            kind,
            *(f"{row[name].mean():,.0f}" if row["rank"].any() else "–" for name in ("images", "rank")),
            *(f"{row[name].mean():.3f}" for name in shares),
            *(f"{np.nanmean(row[name]):.2f}" for name in ("pixels", "pixels_original")),
        ]
        for kind, row in kinds.items()
    ]
