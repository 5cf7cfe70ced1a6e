"""Tables of how alike networks are in what random sets of their weights are worth.

Distances are in doublings, the binary logarithm of the ratio of two utilities. Panels are as those of
tables.utility: statistic -> condition -> arrays.
"""

import numpy as np
from scipy import stats

from sifting.results.axes import RATIOS
from sifting.results.history import History
from sifting.tables.basics import Groups
from sifting.tables.utility import STATISTICS, Lines, Which, against_share, remaining, worth


def compared(groups: Groups, which: Which) -> dict[str, Lines]:
    """Statistics of utility of several networks, and accuracy without sets: ES3, ES4, ES5, ES15.

    returns : statistic, and accuracy -> condition -> weights taken out (ratios,), value (runs, ratios)
    """
    panels = {title: {} for title in (*STATISTICS, "accuracy")}
    for name, (group, level, base) in which.items():
        sets = np.array([worth(run, level, base) for run in groups[group]])
        left = np.array([remaining(run, level, base) for run in groups[group]])
        for title, statistic in STATISTICS.items():
            panels[title][name] = against_share(statistic(sets))
        panels["accuracy"][name] = against_share(left.mean(-1))
    return panels


def stages(pruned: str, small: str) -> dict[str, tuple[str, int, str]]:
    """A network before pruning and after it, and a small one, for `compared`: ES5, ES15.

    pruned, small : groups, of networks that are pruned, and of small ones, both trained twice
    """
    return {
        "pretrained": (pruned, 0, "survivors"),
        "retrained": (pruned, 1, "share"),
        "small": (small, 1, "share"),
    }


def strangers(runs: list[History]) -> dict[str, Lines]:
    """`compared`, of retrained networks and the pretrained network of the run after each."""
    which = {"retrained": ("own", 1, "share"), "pretrained": ("other", 0, "survivors")}
    return compared({"own": runs, "other": runs[1:] + runs[:1]}, which)


def logarithms(lines: Lines, most: float = 1) -> dict[str, np.ndarray]:
    """Binary logarithms of what a panel of `compared` shows: name -> (runs,).

    most : mean over the shares of the weights up to it
    """
    there = np.array(RATIOS) <= most
    return {name: np.log2(line["value"][:, there]).mean(1) for name, line in lines.items()}


def unlike(lines: Lines, other: str, most: float = 1) -> dict[str, np.ndarray]:
    """How many doublings, up or down, each condition of a panel is from one: name -> (runs,).

    most : mean over the shares of the weights up to it that both have
    """
    return {name: np.nanmean(abs(rows), 1) for name, rows in _ratios(lines, other, most).items()}


def relative(panels: dict[str, Lines], titles: tuple[str, ...], other: str) -> dict[str, Lines]:
    """Panels of `compared` in doublings from one condition, which they no longer show."""
    return {
        title: {
            name: against_share(rows)
            for name, rows in _ratios(panels[title], other, 1).items()
            if name != other
        }
        for title in titles
    }


def _ratios(lines: Lines, other: str, most: float) -> dict[str, np.ndarray]:
    """Doublings from one condition of a panel to each: name -> (runs, shares up to `most`)."""
    there = np.array(RATIOS) <= most
    return {
        name: np.log2(line["value"][:, there] / lines[other]["value"][:, there])
        for name, line in lines.items()
    }


def same_sets(ones: list[History], others: list[History]) -> np.ndarray:
    """(runs,): rank correlation of what the same sets are worth before pruning and after it.

    ones, others : runs with the same masks; in ones the sets are of the weights that pruning keeps, in others
                   these are trained again. Mean over the shares of the weights
    """
    rows = []
    for one, other in zip(ones, others, strict=True):
        before, after = worth(one, 0, "survivors"), worth(other, 1)
        rows.append(np.mean([stats.spearmanr(*pair).statistic for pair in zip(before, after)]))
    return np.array(rows)
