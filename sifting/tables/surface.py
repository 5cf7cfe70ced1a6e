"""Tables of accuracy between networks: pretrained, W*; pruned, Wp; and retrained, Wr."""

import numpy as np

from sifting.config import choose
from sifting.observables.surface import barrier
from sifting.results.axes import LINES, STATISTICS
from sifting.results.history import History
from sifting.tables.basics import Groups
from sifting.tables.connectivity import mattering
from sifting.tables.learning import tested
from sifting.tables.words import around, percent

MEASURED = ("accuracy", "loss")  # along a line, see probes.surface.Probe
PLANE = ("plane", "x", "y", "points", "own")  # arrays of a level, see probes.surface.Probe
PRUNED = {"magnitude": "weights", "slimming": "channels"}  # criterion -> what it prunes
AGAIN = {  # treatment -> how a network is trained again
    "finetune": "at the last learning rate",
    "lr-rewind": "with all learning rates again",
}


def way_rows(ways: dict[str, tuple[str, float, str]]) -> list[list[str]]:
    """Rows of words: way; what is pruned each cycle; how what is left is trained again.

    ways : name -> criterion, share that is pruned, treatment; as plans.surface.WAYS
    """
    return [
        [name, f"{percent(share)} of the {PRUNED[criterion]} left", AGAIN[treatment]]
        for name, (criterion, share, treatment) in ways.items()
    ]


def plane(run: History, statistics: str, level: int) -> dict[str, np.ndarray]:
    """The plane of a level through its three networks, with one kind of statistics: ES6, ES16.

    returns : accuracy (rows, columns), in [0, 1], rows from below, nan where it was not measured;
              x, y: coordinates of columns and rows; points (3, 2): those of W*, Wp and Wr;
              own (3,): their accuracies
    """
    choose("statistics", statistics, STATISTICS)
    cells, x, y, points, own = (run[f"{name}/{level}"] for name in PLANE)
    kind = STATISTICS.index(statistics)
    return {"accuracy": cells[kind], "x": x, "y": y, "points": points, "own": own[kind]}


def by_statistics(run: History, level: int, kinds=STATISTICS) -> dict[str, dict[str, np.ndarray]]:
    """The planes of one level: kind of statistics -> `plane`."""
    return {kind: plane(run, kind, level) for kind in kinds}


def by_cycle(run: History, statistics: str, last: int) -> dict[str, dict[str, np.ndarray]]:
    """The planes of every level up to `last`: words -> `plane`."""
    return {f"cycle {level}": plane(run, statistics, level) for level in range(1, last + 1)}


def planes(groups: Groups) -> dict:
    """All planes of the first run of every way, as SurfaceExplorer.from_tables takes them.

    They are nan where a run ended before others. Of statistics, there are those that every plane was
    measured with.
    """
    runs = [group[0] for group in groups.values()]
    cycles = range(1, 1 + max(run.levels for run in runs))

    def everywhere(name):
        shape = runs[0][f"{name}/1"].shape
        return np.array(
            [
                [run[f"{name}/{n}"] if n <= run.levels else np.full(shape, np.nan) for n in cycles]
                for run in runs
            ]
        )

    found = {"accuracy" if name == "plane" else name: everywhere(name) for name in PLANE}
    share = [[mattering(run, n) if n <= run.levels else np.nan for n in cycles] for run in runs]
    missing = np.isnan(found["accuracy"]).any((3, 4))
    known = [n for n in range(len(STATISTICS)) if (missing[:, :, n] == missing.all(2)).all()]
    found |= {name: found[name][:, :, known] for name in ("accuracy", "own")}
    kinds = [STATISTICS[n] for n in known]
    return {"ways": list(groups), "statistics": kinds, "share": np.array(share)} | found


def line(run: History, statistics: str, which: str = "whole", of: str = "accuracy") -> np.ndarray:
    """(points,): accuracy or loss along a line of LINES to the last retrained network.

    of : accuracy, in [0, 1], or loss, in nats; both on training images
    """
    choose("statistics", statistics, STATISTICS)
    choose("line", which, LINES)
    choose("measure", of, MEASURED)
    return run[f"line/{run.levels}"][LINES.index(which), STATISTICS.index(statistics), :, MEASURED.index(of)]


def between(groups: Groups, which: str = "whole", of: str = "accuracy") -> dict[str, dict[str, np.ndarray]]:
    """Accuracy, or loss, along one of LINES: statistics -> condition -> (runs, points)."""
    return {
        kind: {name: np.stack([line(run, kind, which, of) for run in runs]) for name, runs in groups.items()}
        for kind in STATISTICS
    }


def along(groups: Groups, statistics: str, which: str = "whole", of: str = "accuracy") -> dict[str, dict]:
    """`between` of one kind: condition -> t (points,), the share of the way, and OF (runs, points)."""
    lines = between(groups, which, of)[statistics]
    return {name: {"t": np.linspace(0, 1, rows.shape[1]), of: rows} for name, rows in lines.items()}


def barriers(groups: Groups, which: str = "whole", of: str = "accuracy") -> dict[str, dict[str, np.ndarray]]:
    """Barriers on one of LINES: statistics -> condition -> (runs,). See `height`."""
    return {
        kind: {name: height(rows, of) for name, rows in conditions.items()}
        for kind, conditions in between(groups, which, of).items()
    }


def height(rows: np.ndarray, of: str = "accuracy") -> np.ndarray:
    """(...,): barriers on lines, (..., points); see observables.surface.barrier.

    of : accuracy: how far it falls, in points; loss: how far it rises, in nats
    """
    choose("measure", of, MEASURED)
    return _points(barrier(rows)) if of == "accuracy" else barrier(-rows.astype(float))


def _points(accuracies: np.ndarray) -> np.ndarray:
    """In percent, without what single precision adds to them."""
    return np.round(100 * accuracies.astype(float), 4)


def statistics_gap(runs: list[History]) -> np.ndarray:
    """(runs,): how much accuracy depends on what batch norm does between W* and Wr, in points.

    This is the size of the difference between recomputed and interpolated statistics, mean over the line.
    """
    own, mixed = (
        np.stack([line(run, kind) for run in runs]).astype(float) for kind in ("recomputed", "interpolated")
    )
    return _points(np.abs(own - mixed).mean(1))


# the columns of `barrier_rows`, after the name of the condition
BARRIER_HEAD = (*(f"{kind} (points)" for kind in STATISTICS), "recomputed (nats)")


def barrier_rows(groups: Groups) -> list[list[str]]:
    """Rows of words, one a condition, from `barriers`: means and standard deviations over runs.

    barriers in accuracy with each kind of statistics; barrier in loss with recomputed ones
    """
    points, nats = barriers(groups), barriers(groups, of="loss")["recomputed"]
    return [
        [name, *(around(points[kind][name]) for kind in STATISTICS), around(nats[name], digits=3)]
        for name in groups
    ]


def networks(runs: list[History], statistics: str = "interpolated") -> dict[str, np.ndarray]:
    """(runs,) training accuracy, in percent, of the networks W*, Wp and Wr of the last level.

    statistics : interpolated: each with its own; those of Wp are still those of the network that was pruned
    """
    choose("statistics", statistics, STATISTICS)
    own = np.stack([run[f"own/{run.levels}"][STATISTICS.index(statistics)] for run in runs])
    return dict(zip(("W*", "Wp", "Wr"), _points(own).T))


def apart(run: History) -> np.ndarray:
    """(levels, 3): distances from W* to Wp, W* to Wr, and Wp to Wr, from the first pruning on."""
    return np.array([run[f"apart/{level}"] for level in range(1, run.levels + 1)])


def ends_apart(runs: list[History]) -> np.ndarray:
    """(runs, 3): the distances of `apart` after the last level."""
    return np.array([run[f"apart/{run.levels}"] for run in runs])


def distance_rows(groups: Groups, last: int) -> list[list[str]]:
    """Rows of words: condition; distance from W* to Wr of its first run at each level to `last`."""
    return [
        [name, *(around(far[None], digits=2) for far in apart(runs[0])[:last, 1])]
        for name, runs in groups.items()
    ]


def emptied(run: History) -> dict[str, int]:
    """Convolutions that have lost all channels: name -> the level that took the last one."""
    found = {}
    for layer, name in enumerate(run.layer_names, 1):
        removed_at = run.removed_at(layer)
        if not (removed_at > run.levels).any():
            found[name] = int(removed_at.max())
    return found


def emptied_words(groups: Groups) -> str:
    """What is `emptied` in the first run of every condition, in words."""
    found = [
        f"{layer} in cycle {level} ({name})"
        for name, runs in groups.items()
        for layer, level in emptied(runs[0]).items()
    ]
    return ", ".join(found) or "none"


# the columns of `network_rows`, after the name of the condition
NETWORK_HEAD = (
    "weights that matter",
    "W* to Wp",
    "W* to Wr",
    "Wp to Wr",
    "accuracy of Wp, statistics from before",
    "accuracy of Wp, recomputed",
    "accuracy of Wr, own statistics",
    "convolutions without channels",
)


def network_rows(groups: Groups) -> list[list[str]]:
    """Rows of words, one a condition, after the last level.

    Means and standard deviations over runs, in this order:
    weights that are kept and can matter; distances as in `apart`; training accuracy of Wp, with the
    statistics from before and with its own, and of Wr; number of layers that are `emptied`
    """
    return [
        [
            name,
            _left(runs),
            *(around(far, digits=2) for far in ends_apart(runs).T),
            *(around(found, unit=" %") for found in (*_pruned(runs), networks(runs)["Wr"])),
            around(np.array([len(emptied(run)) for run in runs]), digits=int(len(runs) > 1)),
        ]
        for name, runs in groups.items()
    ]


def _pruned(runs: list[History]) -> tuple[np.ndarray, np.ndarray]:
    return networks(runs)["Wp"], networks(runs, "recomputed")["Wp"]


# the columns of `retrained_rows`, after the way
RETRAINED_HEAD = (
    "weights that matter",
    "test accuracy",
    "training accuracy",
    "weights that matter, small network",
    "test accuracy, small network",
)


def retrained_rows(groups: Groups, small: Groups) -> list[list[str]]:
    """Rows of words: pruned and retrained networks, beside small ones: EST1.

    small   : way -> runs of networks that were small from the start
    returns : way; weights that are kept and can matter, test and training accuracy of the retrained network;
              such weights and test accuracy of the small one
    """
    return [
        [
            name,
            _left(runs),
            around(tested(runs), unit=" %"),
            around(networks(runs)["Wr"], unit=" %"),
            _left(small[name]),
            around(tested(small[name]), unit=" %"),
        ]
        for name, runs in groups.items()
    ]


def _left(runs: list[History]) -> str:
    """Share of the weights of convolutions that are kept and can matter in the end, in words."""
    return around(np.array([mattering(run, run.levels) for run in runs]), 100, unit=" %")


def leaving(groups: Groups, cells: dict[tuple[float, int], str], of: str = "accuracy") -> dict[str, dict]:
    """`barriers` against the share that is pruned at once, for every length of training.

    cells   : (share of the channels pruned, length of training) -> condition, see plans.surface.dial
    returns : statistics -> share (shares,), in the order of cells; lengths: length -> (runs, shares)
              barriers; beside: condition that is none of cells -> (runs,)
    """
    shares, lengths = (list(dict.fromkeys(values)) for values in zip(*cells))
    table = {}
    for kind, found in barriers(groups, of=of).items():
        rows = {length: np.stack([found[cells[share, length]] for share in shares], 1) for length in lengths}
        beside = {name: values for name, values in found.items() if name not in cells.values()}
        table[kind] = {"share": np.array(shares), "lengths": rows, "beside": beside}
    return table
