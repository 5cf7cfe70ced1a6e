"""What is kept of the records of a finished run."""

import numpy as np

from sifting.config import Config
from sifting.results.masks import NEVER

Arrays = dict[str, np.ndarray]
MEASURED = "probe/"  # what names in a record begin with where something more than the run itself is measured


def shown(last: int) -> list[int]:
    """Three levels of a run to look at: half, three quarters and all of the way to the last."""
    return [round(last * part) for part in (0.5, 0.75, 1.0)]


def pack(records: list[Arrays], config: Config) -> Arrays:
    """The records of all levels of a run as the arrays that are kept of it; history.History reads them.

    removed_at/NAME        : uint8, level at which each weight was removed; 255: never
    rewind/NAME            : float32, what weights return to
    trained/LEVEL/NAME     : float16, trained values; of pruned parameters only what is kept, flat
    train_loss, ...        : (levels, evaluations)
    shape                  : (channels, height, width) of the images
    engine                 : what trained, see engines.settle

    and of a layerwise run, for every level:

    layer      : (levels,) the layer that was pruned for it; 0: none, the dense network
    tried      : (levels,) the density of that layer while it was trained
    taken_back : (levels,) whether that pruning was undone; removed_at knows nothing of it then
    """
    last = len(records) - 1
    removed_at = {name: value for name, value in records[-1].items() if name.startswith("removed_at/")}
    packed = {
        name: np.where(value > last, NEVER, value).astype(np.uint8) for name, value in removed_at.items()
    }
    packed |= {name: value for name, value in records[0].items() if name.startswith("rewind/")}
    for level, record in enumerate(records):
        for name, value in record.items():
            kind, _, parameter = name.partition("/")
            if kind == "trained" and value.ndim:
                mask = removed_at.get(f"removed_at/{parameter}")
                packed[f"trained/{level}/{parameter}"] = half(value if mask is None else value[mask > level])
    once = ("shape", "engine")
    curves = [name for name in records[-1] if "/" not in name and name not in once]
    if config.layerwise:
        packed |= _turns(records)
    return (
        packed
        | {name: records[0][name] for name in once if name in records[0]}
        | {
            name: np.stack([_padded(record[name], config.evaluations) for record in records])
            for name in curves
        }
    )


def half(values: np.ndarray) -> np.ndarray:
    """As float16; infinite where they are too large, as they are where training has diverged."""
    with np.errstate(over="ignore"):
        return values.astype(np.float16)


def _turns(records: list[Arrays]) -> Arrays:
    back = taken_back([record["val_accuracy"].max() for record in records])
    layer = np.array([0, *(1 + back.cumsum()[:-1])], np.uint8)
    names = [name for name in records[0] if name.startswith("removed_at/") and name.endswith(".weight")]
    tried = [
        (before[names[n - 1]] > level).mean() for level, (before, n) in enumerate(zip(records, layer[1:]), 1)
    ]
    return {"layer": layer, "tried": np.array([1, *tried]), "taken_back": back}


def pack_network(records: list[Arrays], config: Config) -> Arrays:
    """What `pack` keeps, but of the weights only those of the network that came out.

    It is that of the last level, or of the last good one.
    """
    best = [record["val_accuracy"].max() for record in records]
    level = last_good(best) if config.layerwise else len(records) - 1
    names = tuple(f"trained/{other}/" for other in range(len(records)) if other != level)
    return {
        name: value
        for name, value in pack(records, config).items()
        if not name.startswith(("rewind/", *names))
    }


def pack_shown(records: list[Arrays], config: Config) -> Arrays:
    """What `pack` keeps, but of the weights only those that are looked at.

    They are those of the first pruned layer at every level, and of whole networks at the levels `shown`.
    """
    packed, levels = pack(records, config), range(len(records))
    first = next(name for name in packed if name.startswith("removed_at/")).removeprefix("removed_at/")
    seldom = tuple(f"trained/{level}/" for level in levels if level not in shown(levels[-1]))
    return {
        name: value
        for name, value in packed.items()
        if not name.startswith(("rewind/", *seldom)) or name.startswith("trained/") and name.endswith(first)
    }


def pack_masks(records: list[Arrays], config: Config) -> Arrays:
    """What `pack` keeps, without any weights: enough for every observable of masks and accuracies."""
    packed = pack(records, config)
    return {name: value for name, value in packed.items() if not name.startswith(("trained/", "rewind/"))}


def measured(record: Arrays) -> Arrays:
    """What was measured of one level (probes.probed): probe/NAME as NAME."""
    return {name.removeprefix(MEASURED): value for name, value in record.items() if name.startswith(MEASURED)}


def pack_probed(records: list[Arrays], config: Config) -> Arrays:
    """What `pack_masks` keeps of a run, and what was measured of every level, as NAME/LEVEL."""
    found = {
        f"{name}/{level}": value
        for level, record in enumerate(records)
        for name, value in measured(record).items()
    }
    return pack_masks(records, config) | found


def _padded(curve: np.ndarray, length: int) -> np.ndarray:
    """A curve that started late (retrain "rest"), with nan for what it missed."""
    return np.concatenate([np.full(max(0, length - len(curve)), np.nan, np.float32), curve])


def taken_back(best: list[float]) -> np.ndarray:
    """bool (levels,): which levels of a layerwise run do not beat the dense network, level 0.

    best : best validation accuracy of every level
    """
    return np.array([level > 0 and accuracy <= best[0] for level, accuracy in enumerate(best)], bool)


def last_good(best: list[float]) -> int:
    """The last level of a layerwise run that was not taken back."""
    return int(np.flatnonzero(~taken_back(best))[-1])
