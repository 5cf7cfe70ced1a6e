"""Tables of what sets of weights are worth: their utility, its imbalance, its growth.

Utility is in nats, accuracy in [0, 1], what is lost of it in points, and growth in doublings, the binary
logarithm of a ratio. Shares are of weights, as in axes.RATIOS. `Lines` are those of one panel of a figure by
figures.methods.panels: condition -> arrays x (points,) and y (runs, points).
"""

import numpy as np
from scipy import stats

from sifting.results.axes import BASES, RATIOS
from sifting.results.history import History
from sifting.tables.basics import Groups
from sifting.tables.words import around, percent

Lines = dict[str, dict[str, np.ndarray]]
Which = dict[str, tuple[str, int, str]]  # condition -> group of runs, level and base, see `worth`
PAPER_SETS = 500  # of each size, in the paper
TENTH = 0.1  # the share of the weights that tests of accuracy take out
SCOPES = ("rank among all weights", "rank in the layer")  # of windows of weights, by their size


def imbalance(worth: np.ndarray) -> np.ndarray:
    """Imbalance of utility: its standard deviation over sets, (..., sets) -> (...); nan for one.

    Source: An empirical study of a pruning mechanism 2021, definition 3.
    """
    return worth.std(-1, ddof=1) if worth.shape[-1] > 1 else np.full(worth.shape[:-1], np.nan)


# name -> of the utilities of sets, (..., sets)
STATISTICS = {
    "imbalance": imbalance,
    "mean utility": lambda worth: worth.mean(-1),
    "smallest utility": lambda worth: worth.min(-1),
    "largest utility": lambda worth: worth.max(-1),
}
GROW = tuple(STATISTICS)[:3]  # those that the paper says grow


# --- one network


def worth(run: History, level: int = 0, base: str = "share", time: int = -1) -> np.ndarray:
    """(ratios, sets): utility of random sets of weights at one time of one level.

    base : a name in BASES; the number is that of a whole network, which in one is the share. At level 0 of a
           run that prunes, only survivors are known, at the end of the training

    nan where there are too few weights.
    """
    return _measured("utility", run, level, base, time).mean(-1)


def remaining(run: History, level: int = 0, base: str = "share", time: int = -1) -> np.ndarray:
    """(ratios, sets): training accuracy without each set of weights; arguments as in `worth`."""
    return _measured("remaining", run, level, base, time)


def _measured(what: str, run: History, level: int, base: str, time: int) -> np.ndarray:
    """(ratios, sets, ...): what the probe measured without each set of weights.

    Of utility there is one more axis, for the even and the odd images.
    """
    if base == "number" and run.config.start_density == 1:
        base = "share"
    return run[f"{what}/{level}"][time, BASES.index(base)].astype(float)


def ablations(runs: list[History], base: str = "share") -> dict[str, np.ndarray]:
    """Training accuracy without random sets of weights: ES1.

    returns : ratio (1 + ratios,), 0 first; (runs, 1 + ratios) mean, lowest and highest over sets
    """
    rows = np.array([remaining(run, base=base) for run in runs])
    found = {"mean": rows.mean(-1), "lowest": rows.min(-1), "highest": rows.max(-1)}
    return {"ratio": np.array([0, *RATIOS])} | {
        name: np.concatenate([_whole(runs)[:, None], values], 1) for name, values in found.items()
    }


def windows(runs: list[History]) -> dict[str, Lines]:
    """Training accuracy without a window of weights next to each other in size: ES1.

    returns : what is ranked -> share in words -> rank (places,), the middle of the window, 0 the smallest
              weight and 1 the largest; value (runs, places)
    """
    found = {}
    for scope, title in enumerate(SCOPES):
        found[title] = {}
        for place, ratio in enumerate(RATIOS):
            rows = np.array([run["windows/0"][scope, place] for run in runs], float)
            ranks = ratio / 2 + np.linspace(0, 1 - ratio, rows.shape[1])
            found[title][percent(ratio)] = {"rank": ranks, "value": rows}
    return found


def tenth_lost(runs: list[History]) -> dict[str, np.ndarray]:
    """Training accuracy lost without a tenth of the weights, in points, (runs,) each: ES1.

    between sets           : without the worst random set, less what is lost without the best
    of as many as the paper: the same as it would be of PAPER_SETS, see `expected_range`
    largest                : without the largest weights
    smaller half           : mean over the windows that lie in the smaller half of all weights
    smaller half of layers : the same by ranks in each layer; costly: the window of these that costs most
    """
    sets, whole = ablations(runs), _whole(runs)[:, None]
    between = 100 * (sets["highest"] - sets["lowest"])[:, 1 + RATIOS.index(TENTH)]
    more = expected_range(PAPER_SETS) / expected_range(remaining(runs[0]).shape[1])
    tenths = [lines[percent(TENTH)] for lines in windows(runs).values()]
    smaller = tenths[0]["rank"] + TENTH / 2 <= 0.5
    among_all, in_layers = (100 * (whole - line["value"]) for line in tenths)
    return {
        "between sets": between,
        "of as many as the paper": more * between,
        "largest": among_all[:, -1],
        "smaller half": among_all[:, smaller].mean(1),
        "smaller half of layers": in_layers[:, smaller].mean(1),
        "costly": in_layers[:, smaller].max(1),
    }


def expected_range(count: int) -> float:
    """Mean distance of the largest from the smallest of `count` numbers from one Gaussian, in its sigmas.

        integral of  1 - Phi(x)^count - (1 - Phi(x))^count

    More sets have a wider range for no other reason than that they are more.
    """
    x = np.linspace(-9, 9, 3601)
    below = stats.norm.cdf(x)
    return float(np.trapezoid(1 - below**count - (1 - below) ** count, x))


def without_a_tenth(runs: list[History], base: str = "share") -> np.ndarray:
    """(runs,): training accuracy lost without a tenth of the weights, in points, mean over sets."""
    found = ablations(runs, base=base)["mean"]
    return 100 * (found[:, 0] - found[:, 1 + RATIOS.index(TENTH)])


def layer_worth(runs: list[History]) -> dict[str, np.ndarray]:
    """What a tenth of the weights of one layer is worth: layer -> (runs,), mean over sets."""
    names = [*runs[0].layer_names, "output"][: len(runs[0]["layers/0"])]
    rows = np.array([run["layers/0"].mean((1, 2)) for run in runs], float)
    return {name: rows[:, n] for n, name in enumerate(names)}


def errors(runs: list[History], draws: int = 200) -> dict[str, Lines]:
    """Relative standard errors of statistics of utility at the end of the training.

    returns : statistic -> what there is finitely much of -> weights taken out (ratios,), value (runs, ratios)

    images : half of the difference between the even and the odd images, the root mean square over two halves
    sets   : bootstrap over sets, but for the smallest, of which that says nothing
    seeds  : standard deviation over runs, (1, ratios)
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
        values = np.array(rows["seeds"])
        rows["seeds"] = [values.std(0, ddof=1) / values.mean(0) if len(runs) > 1 else values[0] * np.nan]
        panels[name] = {what: against_share(np.array(some)) for what, some in rows.items()}
    del panels["smallest utility"]["sets"]
    return panels


def _whole(runs: list[History]) -> np.ndarray:
    """(runs,): training accuracy of the trained dense network with all weights."""
    return np.array([run["whole/0"][-1, 0] for run in runs], float)


def against_share(values: np.ndarray) -> dict[str, np.ndarray]:
    """A line against the share of the weights that is taken out; values : (runs, ratios)."""
    return {"weights taken out": np.array(RATIOS), "value": values}


def spectra(groups: Groups, which: Which, shares=RATIOS) -> dict[str, dict[str, np.ndarray]]:
    """Utilities of all sets of all runs: share in words -> condition -> (values,): ES4, ES14."""
    return {
        percent(share): {
            name: np.concatenate([worth(run, level, base)[RATIOS.index(share)] for run in groups[group]])
            for name, (group, level, base) in which.items()
        }
        for share in shares
    }


# --- while it is trained


def over_training(runs: list[History]) -> dict[str, Lines]:
    """Statistics of utility while the dense network is trained: ES2, ES11, ES12, ES13.

    returns : statistic -> share in words -> epoch (times,), value (runs, times)
    """
    sets = _over_times(worth, runs)
    return {name: _by_epoch(runs, STATISTICS[name](sets)) for name in GROW}


def accuracy_over_training(runs: list[History]) -> Lines:
    """Training accuracy without random sets of weights while the dense network is trained: ES7.

    returns : share in words, and "none" for all weights -> epoch (times,); value (runs, times), mean over
              sets
    """
    whole = np.array([run["whole/0"][:, 0] for run in runs], float)
    lines = _by_epoch(runs, _over_times(remaining, runs).mean(-1))
    return lines | {"none": {"epoch": epochs(runs[0]), "value": whole}}


def epochs(run: History) -> np.ndarray:
    """(times,): passes over the training images until the dense network was measured."""
    config = run.config
    images = config.fraction * config.train_images
    return run["times/0"] * min(config.batch_size, images) / images


def _over_times(measure, runs: list[History]) -> np.ndarray:
    """(runs, times, ratios, sets): `worth` or `remaining` of the dense networks."""
    return np.array([[measure(run, time=time) for time in range(len(run["times/0"]))] for run in runs])


def _by_epoch(runs: list[History], values: np.ndarray) -> Lines:
    """A line a share over the training; values : (runs, times, ratios)."""
    at = epochs(runs[0])
    return {percent(ratio): {"epoch": at, "value": values[..., n]} for n, ratio in enumerate(RATIOS)}


def by_ratio(panels: dict[str, Lines]) -> dict[str, Lines]:
    """`over_training` with one panel a share and one line a statistic: ES7."""
    return {
        percent(ratio): {name: lines[percent(ratio)] for name, lines in panels.items()} for ratio in RATIOS
    }


def since_start(panels: dict[str, Lines]) -> dict[str, Lines]:
    """`over_training` without the start.

    With batch norm, a network that has seen no image says anything.
    """
    return {
        title: {
            name: {"epoch": line["epoch"][1:], "value": line["value"][:, 1:]} for name, line in lines.items()
        }
        for title, lines in panels.items()
    }


def grown(
    panels: dict[str, Lines], *shares: float, since: int = 1, before: dict[str, Lines] | None = None
) -> dict[str, np.ndarray]:
    """How often the statistics of `over_training` double until the end: name -> (runs,).

    shares : mean over these; all where none is given
    since  : from which time on; 1 is the first after the start, when a network says the same of all images
    before : the same of a shorter training of the same networks, whose time `since` it is; default: panels.
             A longer training is the same as a shorter one until the learning rate first drops, and so can
             be compared with the same beginning
    """
    found = {}
    for name, lines in panels.items():
        words = [percent(share) for share in shares or RATIOS]
        start = lines if before is None else before[name]
        ends, starts = (
            np.array([some[word]["value"][:, time] for word in words])
            for some, time in ((lines, -1), (start, since))
        )
        found[name] = np.log2(ends / starts).mean(0)
    return found


GROWTH_HEAD = (
    "usual, from the start",
    "usual, from the end of its first sixth",
    "long, from the start",
    "long, from the end of the usual one's first sixth",
)


def growth_rows(usual: dict[str, Lines], long: dict[str, Lines]) -> list[list[str]]:
    """Rows of words: of every statistic how often it doubles until the end, as GROWTH_HEAD says.

    Means and standard deviations over runs, of `grown`; the last column is from the same step as the second.
    """
    found = [grown(usual, since=0), grown(usual), grown(long, since=0), grown(long, before=usual)]
    return [[name, *(around(rows[name], digits=2) for rows in found)] for name in GROW]
