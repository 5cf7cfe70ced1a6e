"""Tables of what sets of weights are worth: their utility, how it differs from set to set, and how it grows."""

import numpy as np
from scipy import stats

from sifting.results.axes import BASES, RATIOS
from sifting.results.history import History
from sifting.tables.basics import Groups
from sifting.tables.words import percent

# name -> of the utilities of sets, (..., sets)
STATISTICS = {
    "imbalance": lambda worth: (
        worth.std(-1, ddof=1) if worth.shape[-1] > 1 else np.full(worth.shape[:-1], np.nan)
    ),
    "mean utility": lambda worth: worth.mean(-1),
    "smallest utility": lambda worth: worth.min(-1),
    "largest utility": lambda worth: worth.max(-1),
}
GROW = tuple(STATISTICS)[:3]  # those that the paper says grow


def worth(run: History, level: int = 0, base: str = "share", time: int = -1) -> np.ndarray:
    """(ratios, sets): utility of random sets of weights, in nats, at one time of one level; nan where there are too few weights.

    base : a name in BASES; the number is that of a whole network, which in one is the share. At level 0 of a run that prunes only survivors are
           known, at the end of the training
    """
    return _measured("utility", run, level, base, time).mean(-1)


def _measured(what: str, run: History, level: int, base: str, time: int) -> np.ndarray:
    """(ratios, sets, ...): what utility.Probe measured without each set of weights; of utility over the even and over the odd images."""
    if base == "number" and run.config.start_density == 1:
        base = "share"
    return run[f"{what}/{level}"][time, BASES.index(base)].astype(float)


def remaining(run: History, level: int = 0, base: str = "share", time: int = -1) -> np.ndarray:
    """(ratios, sets): accuracy on the training images without each set of weights."""
    return _measured("remaining", run, level, base, time)


def epochs(run: History) -> np.ndarray:
    """(times,): passes over the training images until each time that the dense network was measured."""
    config = run.config
    images = config.fraction * config.train_images
    return run["times/0"] * min(config.batch_size, images) / images


def over_training(runs: list[History]) -> dict[str, dict[str, dict[str, np.ndarray]]]:
    """What becomes of utility as the dense network is trained: ES2, ES7, ES11, ES12, ES13.

    returns : statistic, and accuracy -> share of the weights in words -> epoch (times,), value (runs, times); the last share,
              of accuracy alone, is "none"
    """
    times, panels = range(len(runs[0]["times/0"])), {}
    for name, statistic in STATISTICS.items():
        if name in GROW:
            rows = np.array([[statistic(worth(run, time=time)) for time in times] for run in runs])
            panels[name] = {percent(r): rows[:, :, n] for n, r in enumerate(RATIOS)}
    left = np.array([[remaining(run, time=time).mean(-1) for time in times] for run in runs])
    whole = np.array([run["whole/0"][:, 0] for run in runs], float)
    panels["accuracy"] = {percent(r): left[:, :, n] for n, r in enumerate(RATIOS)} | {"none": whole}
    at = epochs(runs[0])
    return {
        title: {name: {"epoch": at, "value": rows} for name, rows in lines.items()}
        for title, lines in panels.items()
    }


def by_ratio(panels: dict) -> dict[str, dict]:
    """`over_training` with one panel a share of the weights and one line a statistic: ES7."""
    return {percent(ratio): {name: panels[name][percent(ratio)] for name in GROW} for ratio in RATIOS}


def grown(panels: dict, name: str, shares=RATIOS, since: int = 1, until: int = -1) -> np.ndarray:
    """(runs,): how often a statistic of `over_training` doubles from one time to another, mean over shares of the weights.

    since : 1, the first time after the start, at which a network says much the same of all images
    """
    rows = np.array([panels[name][percent(share)]["value"] for share in shares])
    return np.log2(rows[:, :, until] / rows[:, :, since]).mean(0)


def ablations(runs: list[History], level: int = 0, base: str = "share") -> dict[str, np.ndarray]:
    """Training accuracy without random sets of weights: ES1.

    returns : ratio (1 + ratios,), 0 first; (runs, 1 + ratios) mean, lowest and highest over sets
    """
    rows = np.array([remaining(run, level, base) for run in runs])
    whole = np.array([run[f"whole/{level}"][-1, 0] for run in runs], float)[:, None]
    found = {"mean": rows.mean(-1), "lowest": rows.min(-1), "highest": rows.max(-1)}
    return {"ratio": np.array([0, *RATIOS])} | {
        name: np.concatenate([whole, values], 1) for name, values in found.items()
    }


def windows(runs: list[History]) -> dict[str, dict[str, dict[str, np.ndarray]]]:
    """Training accuracy without a window of weights by their rank in size: ES1.

    returns : what is ranked -> share of the weights in words -> rank (places,), the middle of the window, 0 the smallest weight and 1 the
              largest; value (runs, places)
    """
    found = {}
    for scope, title in enumerate(("rank among all weights", "rank in the layer")):
        found[title] = {}
        for place, ratio in enumerate(RATIOS):
            rows = np.array([run["windows/0"][scope, place] for run in runs], float)
            ranks = ratio / 2 + np.linspace(0, 1 - ratio, rows.shape[1])
            found[title][percent(ratio)] = {"rank": ranks, "value": rows}
    return found


def since_start(panels: dict) -> dict:
    """`over_training` without the start and without accuracy: with batch norm, a network that has seen no image says anything."""
    return {
        title: {
            name: {"epoch": line["epoch"][1:], "value": line["value"][:, 1:]} for name, line in lines.items()
        }
        for title, lines in panels.items()
        if title != "accuracy"
    }


def points_lost(
    runs: list[History], found: dict, title: str, share: float, low: float, high: float, worst: bool = False
) -> np.ndarray:
    """(runs,): accuracy that is lost, in points, without a window of `windows` whose middle lies between two ranks, mean over windows, or the most."""
    line = found[title][percent(share)]
    there = (line["rank"] >= low) & (line["rank"] <= high)
    whole = np.array([run["whole/0"][-1, 0] for run in runs])
    left = line["value"][:, there]
    return 100 * (whole - (left.min(1) if worst else left.mean(1)))


def errors(runs: list[History], draws: int = 200) -> dict[str, dict[str, dict[str, np.ndarray]]]:
    """How well statistics of utility are known, at the end of the training: standard errors over their values, in shares.

    returns : statistic -> what there is finitely much of -> ratio (ratios,), value (runs, ratios); images: half of the difference between
              the even and the odd images, as root mean square over 2 halves; sets: bootstrap over sets, but for
              the smallest, of which that says nothing; seeds (1, ratios): standard deviation over runs
    """
    draw, panels = np.random.default_rng(0), {}
    for name in GROW:
        statistic, rows = STATISTICS[name], {"images": [], "sets": [], "seeds": []}
        for run in runs:
            parts = _measured("utility", run, 0, "share", -1)
            value = statistic(parts.mean(-1))
            halves = [statistic(parts[..., n]) for n in range(2)]
            order = draw.integers(0, parts.shape[1], (draws, parts.shape[1]))
            rows["images"].append(abs(halves[0] - halves[1]) / 2 / value)
            rows["sets"].append(statistic(parts.mean(-1)[:, order]).std(1, ddof=1) / value)
            rows["seeds"].append(value)
        if name == "smallest utility":
            rows.pop("sets")
        values = np.array(rows.pop("seeds"))
        rows["seeds"] = (
            values.std(0, ddof=1, keepdims=True) / values.mean(0) if len(runs) > 1 else values * np.nan
        )
        panels[name] = {
            what: {"weights taken out": np.array(RATIOS), "value": np.array(some)}
            for what, some in rows.items()
        }
    return panels


def compared(
    groups: Groups, which: dict[str, tuple[str, int, str]], names=tuple(STATISTICS)
) -> dict[str, dict[str, dict[str, np.ndarray]]]:
    """Statistics of utility of several networks, and accuracy, against the share of the weights that is taken out: ES3, ES4, ES5, ES15.

    which   : condition -> group, level and base, see `worth`
    returns : statistic, and accuracy -> condition -> ratio (ratios,), value (runs, ratios)
    """
    sets = {
        name: np.array([worth(run, level, base) for run in groups[group]])
        for name, (group, level, base) in which.items()
    }
    left = {
        name: np.array([remaining(run, level, base).mean(-1) for run in groups[group]])
        for name, (group, level, base) in which.items()
    }
    panels = {title: {name: STATISTICS[title](rows) for name, rows in sets.items()} for title in names}
    return {
        title: {name: {"weights taken out": np.array(RATIOS), "value": rows} for name, rows in lines.items()}
        for title, lines in (panels | {"accuracy": left}).items()
    }


def doublings(panels: dict, title: str, one: str, other: str, most: float = 1) -> np.ndarray:
    """(runs,): how many times the statistic of `compared` is doubled from `other` to `one`, mean over the shares up to `most` that both have."""
    return np.nanmean(_ratios(panels, title, one, other, most), 1)


def unlike(panels: dict, title: str, one: str, other: str, most: float = 1) -> np.ndarray:
    """(runs,): by how many doublings, up or down, the statistic of two conditions of `compared` differs, mean over the shares up to `most`."""
    return np.nanmean(abs(_ratios(panels, title, one, other, most)), 1)


def relative(
    panels: dict, titles: tuple[str, ...], other: str
) -> dict[str, dict[str, dict[str, np.ndarray]]]:
    """Statistics of `compared` against those of one condition, in doublings: the same panels and lines without it."""
    return {
        title: {
            name: line | {"value": _ratios(panels, title, name, other, 1)}
            for name, line in panels[title].items()
            if name != other
        }
        for title in titles
    }


def _ratios(panels: dict, title: str, one: str, other: str, most: float) -> np.ndarray:
    there = np.array(RATIOS) <= most
    return np.log2(panels[title][one]["value"][:, there] / panels[title][other]["value"][:, there])


def without_a_tenth(runs: list[History], base: str = "share") -> np.ndarray:
    """(runs,): training accuracy that is lost without a tenth of the weights, in points, mean over sets."""
    found = ablations(runs, base=base)["mean"]
    return 100 * (found[:, 0] - found[:, 1 + RATIOS.index(0.1)])


def spectra(
    groups: Groups, which: dict[str, tuple[str, int, str]], shares=RATIOS
) -> dict[str, dict[str, np.ndarray]]:
    """Utilities of all sets of all runs, (values,), by share of the weights and condition: ES4, ES14. which : as in `compared`."""
    return {
        percent(share): {
            name: np.concatenate([worth(run, level, base)[RATIOS.index(share)] for run in groups[group]])
            for name, (group, level, base) in which.items()
        }
        for share in shares
    }


def same_sets(ones: list[History], others: list[History]) -> np.ndarray:
    """(runs,): rank correlation of what sets of the weights that pruning keeps are worth before it in `ones`, and after training again in `others`.

    The runs of both prune to the same masks. Mean over the shares of the weights.
    """
    rows = []
    for one, other in zip(ones, others, strict=True):
        before, after = worth(one, 0, "survivors"), worth(other, 1)
        rows.append(np.mean([stats.spearmanr(*pair).statistic for pair in zip(before, after)]))
    return np.array(rows)


def layer_worth(runs: list[History]) -> dict[str, np.ndarray]:
    """What a tenth of the weights of one layer alone is worth: layer -> (runs,) mean utility over sets."""
    names = [*runs[0].layer_names, "output"][: len(runs[0]["layers/0"])]
    rows = np.array([run["layers/0"].mean((1, 2)) for run in runs], float)
    return {name: rows[:, n] for n, name in enumerate(names)}
