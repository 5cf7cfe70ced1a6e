"""Cavity scores by the level at which weights are removed, and what becomes of their sign."""

import numpy as np

from sifting.results.history import History
from sifting.tables.basics import Groups, common
from sifting.tables.words import around

CONTROLS = {  # variant of the scores -> what is asked by it
    "score": "all weights",
    "linear": "to first order in the weight",
    "within": "within classes",
    "above": "units with K > 3",
    "below": "units with K < 3",
    "by_rewound": "expected from the rewound |w|",
    "by_trained": "expected from the trained |w|",
    "shuffled": "levels of removal at random",
}


def scores(runs: list[History], variant: str = "score") -> dict[str, np.ndarray]:
    """Cavity scores by the level of removal, evaluated after every level: RD5.

    variant : a name in CONTROLS
    returns : removed (levels + 1,), the levels of removal, 1, 2, ..., the last for weights that stay;
              (runs, levels + 1, levels + 1), of the weights [removed at column + 1] in the network [after row
              prunings], nan where they are gone: score, their mean times the number of all kept weights;
              count, of those with a score; positive, the share of positive scores
    """
    levels = common(runs)
    if odd := {run.levels for run in runs} - {levels}:
        raise ValueError(f"runs of {levels} and of {', '.join(map(str, odd))} levels have no table in common")
    kept = np.array([[run.mask(level).sum() for level in range(levels + 1)] for run in runs])
    stacked = {
        what: np.stack([run[f"cavity/{variant}/{what}"] for run in runs])[:, :, 1:]
        for what in ("mean", "count", "positive")
    }
    return {
        "removed": np.arange(1, levels + 2),
        "score": kept[:, :, None] * stacked["mean"],
        "count": stacked["count"],
        "positive": stacked["positive"],
    }


def controls(groups: Groups) -> dict[str, dict[str, np.ndarray]]:
    """Cavity scores in all CONTROLS, on Gaussian clones, and with rewinding to step 0.

    groups  : IMP, Gaussian clone and rewound to 0
    returns : what is scored, in words -> as `scores`
    """
    found = {words: scores(groups["IMP"], variant) for variant, words in CONTROLS.items()}
    return found | {
        "Gaussian clones": scores(groups["Gaussian clone"]),
        "Gaussian clones, within classes": scores(groups["Gaussian clone"], "within"),
        "rewound to step 0": scores(groups["rewound to 0"]),
    }


def grouped(table: dict[str, np.ndarray], level: int, first: int, last: int) -> np.ndarray:
    """(runs,): mean score, after `level` prunings, of what goes at levels `first` to `last`.

    table : from `scores`
    """
    part = slice(first - 1, last)
    return _weighted(table["score"][:, level, part], table["count"][:, level, part])


def _weighted(values: np.ndarray, count: np.ndarray) -> np.ndarray:
    count = np.where(np.isfinite(values), count, 0)
    with np.errstate(invalid="ignore"):
        return np.nansum(values * count, -1) / count.sum(-1)


def turning(table: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Are the weights that go next the only ones with a positive score?

    table   : from `scores`
    returns : each (runs,), over the levels at which something goes:
              next       : mean score of the weights that the next pruning removes
              later      : of all others
              difference : next minus later
              order      : of those that go one level after the next, minus that of those that stay
              least      : the smallest next of all levels
              signs      : share of the groups, from the first pruning on, whose mean is as in the pattern:
                           positive of what goes next, negative of all others
    """
    runs, rows, _ = table["score"].shape
    first, rest, order = np.zeros((3, runs, rows - 1))
    order[:, -1] = np.nan  # nothing goes after the next
    right = []
    for level in range(rows - 1):
        first[:, level] = table["score"][:, level, level]
        if level < rows - 2:
            order[:, level] = table["score"][:, level, level + 1] - table["score"][:, level, -1]
        rest[:, level] = grouped(table, level, level + 2, rows)
        later = table["score"][:, level, level + 1 :]
        if level:
            signs = np.concatenate([-first[:, level, None], later], 1)
            right += [*np.where(np.isfinite(signs), signs < 0, np.nan).T]
    return {
        "next": np.nanmean(first, 1),
        "later": np.nanmean(rest, 1),
        "difference": np.nanmean(first - rest, 1),
        "order": np.nanmean(order, 1),
        "least": np.nanmin(first, 1),
        "signs": np.nanmean(right, 0) if right else np.full(runs, np.nan),
    }


def positive(table: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Share of positive scores among what goes next and later, as of `turning`, each (runs,).

    table : from `scores`
    """
    rows = range(table["score"].shape[1] - 1)
    share, count = table["positive"], table["count"]
    later = [_weighted(share[:, level, level + 1 :], count[:, level, level + 1 :]) for level in rows]
    return {
        "next": np.nanmean([share[:, level, level] for level in rows], 0),
        "later": np.nanmean(later, 0),
    }


def turning_rows(found: dict[str, dict[str, np.ndarray]]) -> list[list[str]]:
    """Rows of words from `turning`: mean ± standard deviation over runs."""
    return [
        [name, *(around(row[what]) for what in ("next", "later", "difference", "order"))]
        + [around(row["signs"], 100, 0, " %")]
        for name, row in found.items()
    ]
