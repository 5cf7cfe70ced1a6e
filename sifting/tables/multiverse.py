"""Headline statements of the book under every combination of choices: key in the catalog -> a `Grid`.

A headline is a function of the groups of one or several chapters, whose results it reads. Here are those on
convolutional networks; those on fully connected ones are in tables.headlines.
"""

import dataclasses
import re
from collections.abc import Iterable

import numpy as np

from sifting.results.axes import RATIOS, STATISTICS
from sifting.results.history import History
from sifting.tables import headlines, learning, likeness, predictions, similarity, structure, surface, utility
from sifting.tables.basics import Groups, chosen, common, doublings, last_level
from sifting.tables.choices import (
    BOTH,
    KEPT,
    ONE_NETWORK,
    SELF,
    Cell,
    Grid,
    by_level,
    contrast,
    row,
)
from sifting.tables.words import percent

METHODS = ("L1 unstructured", "hybrid", "L1 structured", "L2 structured")  # with every treatment
KINDS = tuple(sorted(STATISTICS, reverse=True))  # recomputed first, which the book's tests take
NONE = np.array([np.nan]), None  # of a cell that there is not
GOOD = (0.5, 0.7, 0.8, 0.9, 0.95)  # shares of the dense network's accuracy, above which a network lives


# --- networks that live


def inputs_live(groups: Groups) -> Grid:
    """How many levels longer networks live that lose inputs by L1 than those that lose any."""
    one, other = groups["L1 structured"], groups["random structured"]
    rows = []
    for split, images in {"test": "test images", "val": "validation images"}.items():
        for rule, words in {"first": "until it first falls below", "last": "the last level above"}.items():
            pair = (_lived(runs, split, rule == "last") for runs in (one, other))
            rows += contrast(f"{images}, {words}", *pair, BOTH, "levels")
    columns = [percent(least) for least in GOOD]
    return Grid("accuracy of the dense", columns, rows, (rows[0].label, GOOD.index(0.9)), ONE_NETWORK)


def _lived(runs: list[History], split: str, last: bool) -> np.ndarray:
    """(1 + redraws, runs, thresholds of GOOD) levels that networks live."""
    curves = predictions.tested(runs, common(runs) + 1, split)
    good = np.stack([curves >= least * curves[..., :1] for least in GOOD], 2)
    if last:
        return (good.shape[-1] - 1 - good[..., ::-1].argmax(-1)).astype(float)
    return good.cumprod(-1).sum(-1) - 1.0


def tuned_as_good(groups: Groups) -> Grid:
    """Accuracy of fine-tuned minus rewound networks, by method."""
    last = last_level({name: groups[name] for name in groups if "structured" in name or name == "hybrid"})

    def both(names, split):
        return (
            np.mean([_curves(groups[name + end], split, last) for name in names], 0)
            for end in (", fine-tuned", "")
        )

    rows = contrast("mean over four methods, test images", *both(METHODS, "test"), BOTH, "points")
    rows += contrast("mean over four methods, validation images", *both(METHODS, "val"), BOTH, "points")
    for name in METHODS:
        rows += contrast(f"{name}, test images", *both([name], "test"), BOTH, "points")
    labels = by_level(groups["L1 unstructured"])[:last]
    return Grid(KEPT, labels, rows, (rows[0].label, last // 2 - 1), ONE_NETWORK)


def _curves(runs: list[History], split: str, last: int) -> np.ndarray:
    return 100 * predictions.tested(runs, last + 1, split)[..., 1:]


# --- masks of LeNet


def inputs_gone(groups: Groups) -> Grid:
    """Inputs of the second convolution without any weight, rewound minus fine-tuned, L1 unstructured."""
    pair = chosen(groups, (METHODS[0], f"{METHODS[0]}, fine-tuned"))
    found, last = structure.scores(pair, 2, draws=1).values(), last_level(pair)
    gone, score = (
        [change(scores[what])[:, 1 : last + 1] for scores in found]
        for what, change in (("gone", np.asarray), ("inputs", doublings))
    )
    rows = contrast("inputs without any weight", *gone, BOTH)
    rows += contrast("row score", *score, BOTH, "doublings")
    return Grid(KEPT, by_level(pair[METHODS[0]])[:last], rows, (rows[0].label, last // 2 - 1), ONE_NETWORK)


def masks_near(groups: Groups) -> Grid:
    """How much nearer masks of rewinding and of fine-tuning are than chance, L1 unstructured."""
    name, layers = METHODS[0], groups["hybrid"][0].layer_names
    apart = similarity.distance(groups[name], groups[f"{name}, fine-tuned"])
    panels = similarity.by_layer({name: apart}, layers)
    excess = {layer: panel[name]["excess"] for layer, panel in panels.items()}
    excess = {"mean over layers": np.mean([*excess.values()], 0)} | excess
    rows = [row(label, _alone(values)) for label, values in excess.items()]
    eight = {name: runs for name, runs in groups.items() if "," not in name}
    place = last_level(eight) // 2 - 1
    return Grid(KEPT, by_level(groups[name]), rows, (rows[0].label, place), SELF)


def _alone(values: np.ndarray) -> list[tuple]:
    """Cells of one effect that is compared with nothing; values : (runs, columns)."""
    return [(column, None) for column in values.T]


# --- what weights are worth


def worth_grows(groups: Groups) -> Grid:
    """Utility at the end of the training against that near its start."""
    usual, long = (utility.over_training(groups[name]) for name in ("usual", "long"))
    ways = {  # panels, and since when: see utility.grown
        "usual training, from its first sixth": (usual, 1, None),
        "usual training, from the start": (usual, 0, None),
        "long training, from the same step": (long, 1, usual),
        "long training, from the start": (long, 0, None),
    }
    rows = []
    for label, (panels, since, before) in ways.items():
        grown = [
            utility.grown(panels, *shares, since=since, before=before)["mean utility"]
            for shares in [(), *((ratio,) for ratio in RATIOS)]
        ]
        rows.append(row(label, [(values, None) for values in grown], "doublings"))
    return Grid("weights taken out", ["all six", *map(percent, RATIOS)], rows, (rows[0].label, 0), SELF)


def share_alike(groups: Groups) -> Grid:
    """How much nearer a smaller network is to the whole one by share than by number."""
    which = [{name: (name, 0, base) for name in groups} for base in ("share", "number")]
    by_share, by_number = (likeness.compared(groups, names) for names in which)
    rows = []
    for statistic in ("mean utility", "imbalance", "largest utility", "smallest utility"):
        for words, own in {"by seed": True, "from the mean of the whole ones": False}.items():
            near, far = (_apart(panels[statistic], "0.5×", own) for panels in (by_share, by_number))
            rows.append(row(f"{statistic}, {words}", _alone(far - near), "doublings"))
    columns = ["1 and 5 %", *map(percent, RATIOS)]
    design = "one sample: one effect a seed, of networks compared by share and by number"
    return Grid("weights taken out", columns, rows, (rows[0].label, 0), design)


def _apart(lines: utility.Lines, size: str, own: bool) -> np.ndarray:
    """(runs, 1 + ratios): doublings from the whole network, of the same seed or their mean.

    The mean over sets of 1 and 5 % comes first.
    """
    whole = np.log2(lines["1×"]["value"])
    far = abs(np.log2(lines[size]["value"]) - (whole if own else whole.mean(0)))
    return np.concatenate([far[:, np.array(RATIOS) <= 0.05].mean(1, keepdims=True), far], 1)


# --- barriers, and networks that are small


def barrier_rises(groups: Groups) -> Grid:
    """Barriers with more channels pruned at once, minus those with fewest."""
    cells = _dial(groups)
    rows, lengths = [], sorted({length for _, length in cells}, reverse=True)
    for of_what, unit in {"accuracy": "points", "loss": "nats"}.items():
        table = surface.leaving(groups, cells, of=of_what)
        for kind in KINDS:
            for length in lengths:
                found = table[kind]["lengths"][length]
                first = np.repeat(found[:, :1], found.shape[1] - 1, 1)
                label = f"{of_what}, {kind}, retraining {length} ×"
                rows += contrast(label, found[:, 1:], first, BOTH, unit)
    columns = [percent(part) for part in table["recomputed"]["share"][1:]]
    return Grid("channels pruned", columns, rows, (rows[0].label, len(columns) - 1), ONE_NETWORK)


def _dial(groups: Groups) -> dict[tuple[float, int], str]:
    """(share of the channels pruned, length of the retraining) -> group of `leaving`."""
    found = {}
    for name in groups:
        if match := re.fullmatch(r"(\d+)% of the channels, (\d+) ×", name):
            found[int(match[1]) / 100, int(match[2])] = name
    return found


def channels_leave(leaving: Groups, basins: Groups) -> Grid:
    """Barriers after channels are pruned and the rate is rewound, in cycles or at once."""
    table, name = surface.leaving(leaving, _dial(leaving)), "channels, rate rewound"
    cycled, rows = surface.barriers({name: basins[name]}), []
    for kind in KINDS:
        for length, found in sorted(table[kind]["lengths"].items()):
            first = (cycled[kind][name], None) if length == 1 else NONE  # in cycles there is one length
            rows.append(row(f"{kind}, retraining {length} ×", [first, *_alone(found)], "points"))
    columns = ["in cycles", *map(percent, table["recomputed"]["share"])]
    return Grid("channels pruned", columns, rows, (rows[0].label, 0), "one sample: one barrier a run")


def pruned_better(retraining: Groups, shares: Groups, basins: Groups) -> Grid:
    """Networks of which weights are pruned, beside small ones that train as long."""
    some = retraining | shares
    pairs = {f"{part} %": (some[f"{part} %"], some[f"{part} %, small"]) for part in (25, 50, 75)}
    measures = {
        "test images": (learning.tested, "points"),
        "validation images": (_validated, "points"),
        "training images": (_trained, "points"),
        "training loss": (lambda runs: -doublings(learning.losses(runs)), "doublings"),
    }
    rows = []
    for label, (measure, unit) in measures.items():
        found = [tuple(measure(runs) for runs in pair) for pair in pairs.values()]
        known = "training" not in label  # of small networks there is no probe
        last = tuple(measure(basins[name]) for name in ("weights, rate rewound", "small")) if known else NONE
        rows.append(row(label, [*found, last], unit))
    columns = [*pairs, "in cycles"]
    design = "two samples: the two kinds share no network"
    return Grid("weights pruned", columns, rows, (rows[0].label, 1), design)


def _validated(runs: list[History]) -> np.ndarray:
    return 100 * np.array([run.accuracy("val", "last")[-1] for run in runs])


def _trained(runs: list[History]) -> np.ndarray:
    return 100 * np.array([run[f"whole/{run.levels}"][-1, 0] for run in runs], float)


# key of the statement in the catalog -> its function, and the chapters whose groups that takes
HEADLINES = {
    "PB2b.near": (headlines.near, "imp"),
    "PB2b.grows": (headlines.grows, "imp"),
    "PB4.imp_more_local": (headlines.pruners_local, "pruners"),
    "RD1.more_local": (headlines.clones_local, "clones"),
    "PB5.more_data_local": (headlines.data_local, "data"),
    "PB18.less_local": (headlines.tasks_local, "tasks"),
    "RD3B.less_local": (headlines.photographs_local, "clones"),
    "RD3B-fine.less_local": (headlines.fine_local, "clones"),
    "RD4B.rises": (headlines.kurtosis_rises, "kurtosis"),
    "RD4B.above_one_shot": (headlines.kurtosis_above, "kurtosis"),
    "PB1a.gains": (headlines.gains, "imp"),
    "PB4.imp_better": (headlines.better, "pruners"),
    "PF1.l1_inputs": (inputs_live, "methods"),
    "PF2.half_way": (tuned_as_good, "methods"),
    "PF5.more_gone_rewound": (inputs_gone, "methods"),
    "PF9-chance.nearer_half_way": (masks_near, "methods"),
    "ES12.mean": (worth_grows, "residual"),
    "ES3.nearer_half": (share_alike, "size"),
    "EST2.better_50": (pruned_better, "retraining", "shares", "basins"),
    "ES6.channels_rewound_recomputed": (channels_leave, "leaving", "basins"),
    "leaving-share.recomputed": (barrier_rises, "leaving"),
}


# headline on fully connected networks -> what it is about, and what of it: see figures.multiverse.again
AGAIN = {
    "PB2b.near": ("localization Λ", "IMP − random masks"),
    "PB2b.grows": ("localization Λ", "growth a level"),
    "PB4.imp_more_local": ("localization Λ", "IMP − one-shot"),
    "RD1.more_local": ("localization Λ", "two layers: IMP − one-shot"),
    "PB5.more_data_local": ("localization Λ", "growth a doubling of data"),
    "RD3B.less_local": ("localization Λ", "photographs − clones"),
    "RD3B-fine.less_local": ("localization Λ", "photographs − fine clones"),
    "RD4B.rises": ("kurtosis", "last level − dense"),
    "RD4B.above_one_shot": ("kurtosis", "IMP − one-shot"),
    "PB1a.gains": ("accuracy, points", "best pruned − dense"),
    "PB4.imp_better": ("accuracy, points", "IMP − one-shot"),
}
# those of them that larger networks are tested on
LARGER = [key for key in AGAIN if key not in ("PB5.more_data_local", "RD3B-fine.less_local")]


def again(groups: Groups, alike: bool = False, keys: Iterable[str] = AGAIN) -> dict[str, Cell]:
    """Headlines of AGAIN, those that `keys` names, by the book's own choices: key -> the cell of its test.

    alike : runs of the same place in their groups have their images in common, and are compared one by one
    """
    cells = {key: choices(groups, key).own for key in keys}
    if not alike:
        return cells
    return {key: Cell(dataclasses.replace(cell, paired=True).effects) for key, cell in cells.items()}


def runs_of(groups: Groups, key: str) -> Groups:
    """Those of the groups "CHAPTER: GROUP" that a headline reads."""
    return {name: runs for name, runs in groups.items() if name.partition(": ")[0] in HEADLINES[key][1:]}


def choices(groups: Groups, key: str) -> Grid:
    """A headline under all its choices; groups : "CHAPTER: GROUP" -> runs."""
    headline, *chapters = HEADLINES[key]
    return headline(*(of(groups, chapter) for chapter in chapters))


def of(groups: Groups, chapter: str) -> Groups:
    """The groups "CHAPTER: GROUP" of one chapter, by their names there."""
    start = f"{chapter}: "
    return {name.removeprefix(start): runs for name, runs in groups.items() if name.startswith(start)}
