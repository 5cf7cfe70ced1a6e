"""What networks learn: accuracy by level and by step, gains, losses."""

import collections

import numpy as np

from sifting.config import Config
from sifting.results.history import History
from sifting.tables.basics import Groups, common, densities
from sifting.tables.words import around, number


def gains(groups: Groups) -> dict[str, dict[str, np.ndarray]]:
    """What pruning gains in each condition: PB18, PB19.

    returns : condition -> dense, best, gain, each (runs,), early-stopped test accuracy; the best pruned
              level is chosen on the validation images (tables.learning.accuracy)
    """
    found = {}
    for name, runs in groups.items():
        table = accuracy(runs)
        dense = table["test"][:, 0]
        found[name] = {"dense": dense, "best": dense + table["gain"], "gain": table["gain"]}
    return found


def curves(groups: Groups) -> dict[str, dict[str, np.ndarray]]:
    """Accuracy during training, of the dense network and at the best level: PB6, PB7, PB8.

    returns : condition -> steps (evaluations,); train, val (2, evaluations), the mean over runs, dense first
    """
    return {name: _curves(runs) for name, runs in groups.items()}


def _curves(runs: list[History]) -> dict[str, np.ndarray]:
    length = runs[0]["val_accuracy"].shape[1]
    table = {"steps": runs[0].config.steps * (1 + np.arange(length)) / length}
    for split in ("train", "val"):
        curves = [run[f"{split}_accuracy"][[0, int(accuracy([run])["peak"][0])]] for run in runs]
        table[split] = np.mean(curves, axis=0)
    return table


def late(runs: list[History], level: int = 0) -> np.ndarray:
    """(runs,) growth of validation accuracy over the last quarter of the training of a level, in points."""
    found = np.stack([run["val_accuracy"][level] for run in runs])
    return 100 * (found[:, -1] - found[:, max(0, round(0.75 * found.shape[1]) - 1)])


def largest_gains(groups: Groups) -> np.ndarray:
    """(networks,) largest gain of the first run of each condition, in points, mean over each dense network.

    Conditions that begin with one and the same dense network have its luck in common, and count as one.
    """
    found, name = collections.defaultdict(list), "val_accuracy"
    for runs, rows in zip(groups.values(), gains(groups).values(), strict=True):
        found[runs[0][name][0].tobytes()].append(100 * rows["gain"][0])
    return np.array([np.mean(same) for same in found.values()])


def best_beside(groups: Groups) -> dict[str, np.ndarray]:
    """Test accuracy of the best pruned networks in points: the first condition beside the others.

    values, against : of the first run of each other condition, and of all runs of the first, which
                      claims.check takes
    """
    first, *others = (100 * rows["best"] for rows in gains(groups).values())
    return {"values": np.array([rows[0] for rows in others]), "against": first}


def accuracy(runs: list[History]) -> dict[str, np.ndarray]:
    """Accuracy of every run at every level: PB1a.

    density            : (levels,)
    best, last, test   : (runs, levels) validation accuracy early stopped, at the last step; test
                         accuracy at the early-stopping step, on images used for nothing else
    peak               : (runs,) level of the highest validation accuracy of the pruned ones; 0: none
    gain, fall         : (runs,) test accuracy at `peak` minus dense; at the last level minus `peak`
    """
    last = common(runs) + 1
    table = {
        "density": densities(runs),
        "best": np.stack([run.accuracy("val", "best")[:last] for run in runs]),
        "last": np.stack([run.accuracy("val", "last")[:last] for run in runs]),
        "test": np.stack([run.accuracy("test", "best")[:last] for run in runs]),
    }
    # runs may end before any pruning is trained: then the dense network is all that there is
    peak = 1 + table["best"][:, 1:].argmax(1) if last > 1 else np.zeros(len(runs), int)
    at_peak = np.take_along_axis(table["test"], peak[:, None], 1)[:, 0]
    return table | {
        "peak": peak,
        "gain": at_peak - table["test"][:, 0],
        "fall": table["test"][:, -1] - at_peak,
    }


def effort(runs: list[History], longer: History) -> str:
    """Sentences: how long the levels of some runs train, and what a dense network has that trains longer."""
    config, table = runs[0].config, accuracy(runs)
    steps = config.steps * (1 + table["peak"])
    best = 100 * (table["test"][:, 0] + table["gain"])
    return (
        f"Every level trains for {config.steps:,} steps of {config.batch_size} images, and so sees "
        f"{passes(config)}. A dense network that trains for {longer.config.steps:,} steps (one run) has "
        f"{100 * longer.accuracy('test')[0]:.1f} % of the test images right; the best pruned networks have "
        f"{best.min():.1f} to {best.max():.1f} %, after {steps.min():,} to {steps.max():,} steps in all. "
        "So the gain compares networks that train equally long *at each level*. Over all levels together, a "
        "pruned network has trained longer than the dense one."
    )


def passes(config: Config) -> str:
    """How often a level sees each training image, in words; photographs and fields say how many there are."""
    if config.dataset not in ("photos", "fields"):
        return "the images as often as the settings above say"
    times = config.steps * config.batch_size / (config.fraction * config.train_images)
    return f"each training image {times:.2g} times"


def best_level(runs: list[History]) -> int:
    """The level with the highest validation accuracy, mean over runs; 0 is the dense network."""
    return int(accuracy(runs)["best"].mean(0).argmax())


def peak_density(runs: list[History]) -> np.ndarray:
    """(runs,) density of the first layer at which validation accuracy peaks, in powers of two.

    That of the parabola in powers of two that fits all levels best: the best of many levels that hardly
    differ is anywhere. nan where it has no peak.
    """
    table = accuracy(runs)
    x = np.log2(table["density"])
    if len(x) < 3:
        return np.full(len(runs), np.nan)
    bend, slope, _ = np.polyfit(x, table["best"].T, 2)
    return np.where(bend < 0, -slope / (2 * bend), np.nan)


def trained(groups: Groups, level: int = 0) -> list[list[str]]:
    """Rows of words: what networks have learned after the training of `level`, means over runs.

    Of every condition its name, the share of its weights that there is, accuracy on training and on test
    images, and loss on the images of the probe.
    """
    rows = []
    for name, runs in groups.items():
        at = min(level, common(runs))
        train, loss = np.mean([run[f"whole/{at}"][-1] for run in runs], 0)
        test = np.mean([run.accuracy("test", "last")[at] for run in runs])
        weights = np.mean([run.density(at) for run in runs])
        shares = [f"{number(100 * value)} %" for value in (weights, train, test)]
        rows.append([name, *shares, number(loss, 3)])
    return rows


def losses(runs: list[History], level: int = -1) -> np.ndarray:
    """(runs,) mean cross-entropy on the images of the probe after a level, by default the last."""
    return np.array([run[f"whole/{range(run.levels + 1)[level]}"][-1, 1] for run in runs], float)


BESIDE_HEAD = (
    "pruned and retrained",
    "small",
    "training loss, pruned and retrained",
    "training loss, small",
)


def beside_small(groups: Groups, pairs: dict[str, str]) -> list[list[str]]:
    """Rows of words: of every condition its name and what BESIDE_HEAD names: EST2.

    Test accuracy and training loss of networks that were pruned, beside those of small ones.

    pairs : condition -> that of the small networks
    """
    return [
        [
            name,
            *(around(tested(groups[one]), unit=" %") for one in (name, small)),
            *(around(losses(groups[one]), digits=3) for one in (name, small)),
        ]
        for name, small in pairs.items()
    ]


def tested(runs: list[History], level: int = -1) -> np.ndarray:
    """(runs,) accuracy on the test images after a level, by default the last, in points."""
    return 100 * np.array([run.accuracy("test", "last")[level] for run in runs])
