"""Tables that put several conditions beside each other: methods, amounts of data, tasks, settings."""

import numpy as np

from sifting import observables
from sifting.results.history import History
from sifting.tables.basics import Groups, common, level_near, local_units, nearest, shape, top_units
from sifting.tables.connectivity import out_degree
from sifting.tables.learning import accuracy
from sifting.tables.locality import everywhere
from sifting.tables.words import around


def compare(groups: Groups) -> dict[str, dict[str, np.ndarray]]:
    """Accuracy and measures of locality of every condition, at every level.

    returns : condition -> arrays over the levels that all its runs reached:
              density                  : (levels,) of all prunable layers together
              layers                   : (levels, layers) density of each
              test, last, train        : (runs, levels) early-stopped test, last test and last training accuracy
              gain                     : (runs, levels) test minus that of the dense network
              localization, enrichment : (runs, levels) of the first layer, nan for the dense one
              width, unit_width        : (runs, levels) rf_width of S(d) of all units together, and its median over units; mean of
                                         x and y, in pixels
              excess                   : (runs, levels) degree_excess of its units
              dead                     : (runs, levels) share of its units without any input
    """
    return {name: _rows(runs) for name, runs in groups.items()}


def _rows(runs: list[History]) -> dict[str, np.ndarray]:
    levels, size = range(common(runs) + 1), shape(runs[0])
    layers = np.array(
        [[[run.density(level, n + 1) for n in range(run.layers)] for level in levels] for run in runs]
    )
    measured = np.array([[_measures(run.mask(level), size, level) for level in levels] for run in runs])
    names = ("localization", "enrichment", "width", "unit_width", "excess", "dead")
    test = np.stack([run.accuracy("test")[: len(levels)] for run in runs])
    return {
        "density": np.array([[run.density(level) for level in levels] for run in runs]).mean(0),
        "layers": layers.mean(0),
        "test": test,
        "gain": test - test[:, :1],
        "last": np.stack([run.accuracy("test", "last")[: len(levels)] for run in runs]),
        "train": np.stack([run.accuracy("train", "last")[: len(levels)] for run in runs]),
    } | {name: measured[:, :, n] for n, name in enumerate(names)}


def _measures(mask: np.ndarray, size: tuple, level: int) -> tuple[float, ...]:
    dead = 1 - mask.any(1).mean()
    if not level:
        return (np.nan,) * 5 + (dead,)
    local = observables.locality.localization(mask, size)
    same = observables.locality.displacement_counts(mask, size)[0]
    widths = np.mean(observables.locality.rf_width(same), 0)
    return (
        np.nanmean(local) if not np.isnan(local).all() else np.nan,
        observables.locality.enrichment(mask, size),
        np.mean(observables.locality.rf_width(same.sum(0))),
        np.nanmedian(widths) if not np.isnan(widths).all() else np.nan,
        observables.connectivity.degree_excess(mask),
        dead,
    )


def at_density(table: dict[str, dict], density: float) -> dict[str, dict]:
    """The rows of `compare` at the level whose density is nearest to `density` on a logarithmic scale.

    returns : condition -> level, and of every array its value(s) there: (runs,), or a number for density
    """
    found = {}
    for name, rows in table.items():
        level = nearest(rows["density"], density)
        found[name] = {"level": level} | {
            what: values[..., level] if what not in ("density", "layers") else values[level]
            for what, values in rows.items()
        }
    return found


def summary(found: dict[str, dict]) -> list[list[str]]:
    """Rows of words from `at_density`: condition, density of all, first and last layer, test accuracy, Lambda, ± sd over runs."""
    return [
        [
            name,
            *(f"{100 * value:.2g} %" for value in (rows["density"], rows["layers"][0], rows["layers"][-1])),
        ]
        + [around(rows["test"], 100, 1, " %"), around(rows["localization"], 1, 3)]
        for name, rows in found.items()
    ]


def least_local(groups: Groups, density: float) -> dict[str, float]:
    """Localization of the least local condition, of its first run near `density`: what claims.check takes.

    values, error : mean of Lambda over the units, and its standard error
    """
    found = [everywhere(runs[0], density) for runs in groups.values()]
    least = min(found, key=lambda group: group["localization"])
    return {"values": least["localization"], "error": least["error"]}


def conclusions(groups: Groups, density: float) -> list[list[str]]:
    """Rows of words: what the first chapter concludes, in every condition; means over runs.

    condition; gain in points by early-stopped validation accuracy, by test accuracy at the level and step chosen on validation, by
    test accuracy at the last step; near `density`: Lambda, enrichment, degree_excess, connections of border pixels over the mean
    """
    rows = []
    for name, runs in groups.items():
        table, at = accuracy(runs), at_density(compare({name: runs}), density)[name]
        val = np.array([run.accuracy("val")[1:].max() - run.accuracy("val")[0] for run in runs])
        last = np.array(
            [
                run.accuracy("test", "last")[n] - run.accuracy("test", "last")[0]
                for run, n in zip(runs, table["peak"])
            ]
        )
        border = out_degree(dict(enumerate(runs)), density)["border"]
        gains = [f"{100 * values.mean():+.1f}".replace("-", "−") for values in (val, table["gain"], last)]
        numbers = [
            at["localization"].mean(),
            at["enrichment"].mean(),
            at["excess"].mean(),
            np.mean(list(border.values())),
        ]
        rows.append([name, *gains, *(f"{value:.2f}" for value in numbers)])
    return rows


def portraits(groups: Groups, density: float, masks: int = 0) -> dict[str, dict]:
    """What the first layer looks like in each condition near `density`: PB5, PB14, PB17, PB19.

    returns : condition -> density of the layer; same: S_sc summed over units and runs; runs: how many; degrees: in-degrees
              of all units of all runs; expected: (counts, units expected at each in one run) for random pruning;
              localization: (runs,); masks: bool (masks, channels, height, width), the most connected of the first run
    """
    return {name: _portrait(runs, density, masks) for name, runs in groups.items()}


def _portrait(runs: list[History], density: float, count: int) -> dict:
    size = shape(runs[0])
    levels = [level_near(run, density, None) for run in runs]
    first = [run.mask(level) for run, level in zip(runs, levels)]
    counts = np.arange(max(int(mask.sum(1).max()) for mask in first) + 2)
    local = [observables.locality.localization(mask, size) for mask in first]
    return {
        "density": float(np.mean([mask.mean() for mask in first])),
        "same": sum(observables.locality.displacement_counts(mask, size)[0].sum(0) for mask in first),
        "degrees": np.concatenate([observables.connectivity.in_degree(mask) for mask in first]),
        "runs": len(runs),
        "expected": (
            counts,
            sum(observables.connectivity.binomial(mask, counts) for mask in first) / len(runs),
        ),
        "localization": np.array(
            [np.nanmean(values) if not np.isnan(values).all() else np.nan for values in local]
        ),
        "masks": first[0][top_units(runs[0], levels[0], count)].reshape(-1, *size),
    }


def same_units(ticket: History, rows: list[tuple[str, Groups, float]], count: int = 10) -> dict:
    """The weights of a dense network and the masks of the same units under several methods: PB4.

    ticket : of IMP, which holds the dense weights
    rows   : for each row of pictures its label, the runs of the method (the first has the seed of
             `ticket`), and a density
    count  : units: the most localized, at three quarters of the way, of the 48 most connected

    returns : labels; units; pictures (rows, count, channels, height, width) in [0, 1], the dense weights
              first (0.5: zero); accuracy (rows,), early-stopped test accuracy, mean over runs
    """
    size, units = shape(ticket), local_units(ticket, ticket.shown[1], count)
    dense = ticket.weights(0)[units]
    pictures, labels, accuracy = (
        [0.5 + 0.5 * dense / np.abs(dense).max(1, keepdims=True)],
        ["dense weights"],
        [],
    )
    for label, runs, density in rows:
        levels = [level_near(run, density, None) for run in runs]
        pictures.append(runs[0].mask(levels[0])[units].astype(float))
        labels.append(label)
        accuracy.append(np.mean([run.accuracy("test")[level] for run, level in zip(runs, levels)]))
    dense_accuracy = np.mean([run.accuracy("test")[0] for run in rows[0][1]])
    return {
        "labels": labels,
        "units": units,
        "pictures": np.stack(pictures).reshape(len(labels), count, *size),
        "accuracy": np.array([dense_accuracy, *accuracy]),
    }
