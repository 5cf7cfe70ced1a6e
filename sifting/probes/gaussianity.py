"""A run, and how far from Gaussian its first layer is at every level: kurtosis and cavity scores."""

import warnings

import numpy as np
import torch

from sifting import observables
from sifting.config import Config
from sifting.data import Dataset, load
from sifting.probes.probed import measured
from sifting.results import packing
from sifting.results.history import History
from sifting.results.masks import at

# training images that all is measured on; with 10,000 the scores of two halves correlate less
IMAGES = 20_000
UNITS = 8  # most connected units in the end, whose weights are kept for the explorer
WEIGHT, GAIN = (
    "linear.0.weight",
    "before.0.weight",
)  # of the first layer, and of the batch norm in front of it
EPS = 1e-5  # of torch's batch norm


class Probe:
    """The images that a run is measured on, and what is measured; on the device, in double precision."""

    def __init__(self, config: Config, device: str):
        if config.model != "fcn":
            raise ValueError(f"representations are of the first layer of model fcn, not {config.model}")
        data: Dataset = load(config, device)
        index = torch.arange(min(IMAGES, len(data.train)), device=data.train.labels.device)
        x, self.labels = data.train.batch(index)
        self.x, self.normalized = x.double(), config.batch_norm == "before"
        self.sd = (self.x.var(0, correction=0) + EPS).sqrt()
        self.x = self.x - self.x.mean(0)

    def measure(self, records: list[dict]) -> dict:
        """What is measured at a level, the last of `records`.

        KIND is rewound, the masked network at the rewind point, at level 0 too, or trained, as the level
        ends:

        kurtosis/KIND       : (units,) of the preactivations over all images, see
                              observables.gaussianity.kurtosis
        class_kurtosis/KIND : (classes, units), the same over the images of each class
        size/KIND           : (units, inputs), the sizes of the weights, by which magnitude pruning goes
        weights             : (units, inputs), of the rewound network on images as they are: those of the
                              batch norm times those of the layer
        input_kurtosis      : mean over the inputs, of all images together
        scores, linear      : (units, inputs), cavity scores of the rewound network, see
                              observables.gaussianity.cavity
        within              : (units, inputs), mean over the classes of the scores on the images of each
        """
        level, first, record = len(records) - 1, records[0], records[-1]
        kept = at(record[f"removed_at/{WEIGHT}"], level)
        found = {"input_kurtosis": np.nanmean(_array(observables.gaussianity.kurtosis(self.x)))}
        for kind, prefix, values in (("rewound", "rewind", first), ("trained", "trained", record)):
            weights, rows = self._said(values, prefix, kept)
            classes = [
                observables.gaussianity.kurtosis(rows[self.labels == number])
                for number in self.labels.unique()
            ]
            found |= {
                f"kurtosis/{kind}": _array(observables.gaussianity.kurtosis(rows)),
                f"class_kurtosis/{kind}": _array(torch.stack(classes)),
                f"size/{kind}": abs(values[f"{prefix}/{WEIGHT}"]) * kept,
            }
            if kind == "rewound":
                scores, linear, _ = observables.gaussianity.cavity(self.x, weights)
                found |= {"scores": _array(scores), "linear": _array(linear), "weights": _array(weights)}
                found["within"] = _array(self._within(weights))
        return found

    def kurtosis(self, records: list[dict]) -> np.ndarray:
        """(units,): kurtosis of the preactivations of the network that the last of `records` holds."""
        kept = at(records[-1][f"removed_at/{WEIGHT}"], len(records) - 1)
        return _array(observables.gaussianity.kurtosis(self._said(records[-1], "trained", kept)[1]))

    def _said(self, values: dict, prefix: str, kept: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Weights on images as they are, (units, inputs), and preactivations, (images, units)."""
        weights = self._effective(values, prefix) * torch.from_numpy(kept).to(self.x)
        return weights, self.x @ weights.T

    def _within(self, weights: torch.Tensor) -> torch.Tensor:
        """Mean over the classes of the cavity scores on the images of each."""
        total, classes = 0, self.labels.unique()
        for number in classes:
            total = total + observables.gaussianity.cavity(self.x[self.labels == number], weights)[0]
        return total / len(classes)

    def _effective(self, values: dict, prefix: str) -> torch.Tensor:
        weights = torch.from_numpy(values[f"{prefix}/{WEIGHT}"]).to(self.x)
        if self.normalized:
            weights = weights * torch.from_numpy(values[f"{prefix}/{GAIN}"]).to(self.x) / self.sd
        return weights


def _array(values: torch.Tensor) -> np.ndarray:
    return values.cpu().numpy().astype(np.float32)


def pack(records: list[dict], config: Config) -> dict:
    """The masks and accuracies of the run, as packing.pack_masks keeps them, and of what was measured:

    kurtosis/KIND             : (levels, units); input_kurtosis
    class_mean/KIND           : (levels, classes) over the units that are alive
    pair_median/KIND          : (levels,) over units and classes
    cavity/VARIANT/WHAT       : (levels, levels + 2), see observables.gaussianity.by_removal, of the scores
                                of VARIANT: score; linear, to first order; within, of each class; above and
                                below, of units with K > 3 and K < 3 alone; by_rewound, by_trained: matched
                                by the size of the rewound and the trained weight; shuffled: levels of
                                removal dealt out at random
    identity                  : (levels,) the largest sum of linear scores over a unit, over the sum of their
                                sizes
    unscored                  : (levels,) kept weights without a score, in units with too few inputs
    example/units, weights    : (units,) the UNITS that keep the most inputs, and their rewound weights,
                                (units, inputs)
    """
    packed, levels = packing.pack_masks(records, config), len(records) - 1
    records = [packing.measured(record) for record in records]
    removed_at = packed[f"removed_at/{WEIGHT}"]
    for kind in ("rewound", "trained"):
        rows = np.stack([record[f"class_kurtosis/{kind}"] for record in records])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of classes and units where nothing is defined
            packed |= {
                f"kurtosis/{kind}": np.stack([record[f"kurtosis/{kind}"] for record in records]),
                f"class_mean/{kind}": np.nanmean(rows, 2),
                f"pair_median/{kind}": np.nanmedian(rows, (1, 2)),
            }
    draw = np.random.default_rng(config.seed)
    rows = [_grouped(record, removed_at, level, levels, draw) for level, record in enumerate(records)]
    packed |= {name: np.stack([row[name] for row in rows]).astype(np.float32) for name in rows[0]}
    units = np.argsort(-(removed_at > levels).sum(1), kind="stable")[:UNITS]
    return packed | {
        "input_kurtosis": records[0]["input_kurtosis"],
        "example/units": units,
        "example/weights": records[0]["weights"][units].astype(np.float32),
    }


def _grouped(record: dict, removed_at: np.ndarray, level: int, levels: int, draw) -> dict[str, np.ndarray]:
    """What `pack` keeps of the scores of one level."""
    scores, linear = record["scores"], record["linear"]
    above = (record["kurtosis/rewound"] > observables.gaussianity.GAUSSIAN)[:, None]
    variants = {
        "score": scores,
        "linear": linear,
        "within": record["within"],
        "above": np.where(above, scores, np.nan),
        "below": np.where(above, np.nan, scores),
        "by_rewound": observables.gaussianity.matched(scores, record["size/rewound"]),
        "by_trained": observables.gaussianity.matched(scores, record["size/trained"]),
    }
    found = {
        f"cavity/{name}/{what}": values
        for name, some in variants.items()
        for what, values in observables.gaussianity.by_removal(some, removed_at, level, levels).items()
    }
    there = np.isfinite(scores)
    dealt = removed_at.copy()
    dealt[there] = draw.permutation(removed_at[there])
    shuffled = observables.gaussianity.by_removal(scores, dealt, level, levels)
    found |= {f"cavity/shuffled/{what}": values for what, values in shuffled.items()}
    size = np.nansum(abs(linear), 1)
    sums = abs(np.nansum(linear, 1))[size > 0] / size[size > 0]
    return found | {
        "identity": np.float32(sums.max(initial=0)),
        "unscored": np.float32(((removed_at > level) & ~there).sum()),
    }


REPRESENTATION = measured(Probe, pack)


def example(history: History, bins: int = 48) -> dict[str, np.ndarray]:
    """The UNITS that keep the most inputs, and what single weights do to them before any pruning: RD5A.

    returns : units (units,); removed_at (units, channels, height, width); kurtosis (units,) at the rewind
              point; edges (bins + 1,) and before (units, bins), histograms of their preactivations, in
              standard deviations; and of two weights for every level of removal and two of those that stay,
              those with the highest and the lowest score, input -1 where there are none: inputs, scores,
              without (units, weights), the kurtosis without the weight, and counts (units, weights, bins),
              the histograms; every (units, inputs), the scores of all weights
    """
    probe, levels = Probe(history.config, "cpu"), history.levels
    units, weights = history["example/units"], torch.tensor(history["example/weights"]).to(probe.x)
    removed_at = np.minimum(history.removed_at()[units], levels + 1)
    scores = observables.gaussianity.cavity(probe.x, weights)[0].numpy()
    edges, inputs = np.linspace(-6, 6, bins + 1), np.full((len(units), 2 * (levels + 1)), -1)
    before, kurtosis = np.zeros((len(units), bins), int), np.zeros(len(units))
    without, counts = np.full(inputs.shape, np.nan), np.zeros((*inputs.shape, bins), int)
    for n in range(len(units)):
        rows = probe.x @ weights[n]
        sd = rows.std().item()
        before[n] = np.histogram(rows / sd, edges)[0]
        kurtosis[n] = observables.gaussianity.kurtosis(rows[:, None]).item()
        for place, level in enumerate(range(1, levels + 2)):
            mine = np.flatnonzero((removed_at[n] == level) & np.isfinite(scores[n]))
            if len(mine):
                order = mine[np.argsort(scores[n, mine])]
                inputs[n, 2 * place : 2 * place + 2] = order[-1], order[0]
        for place, j in enumerate(inputs[n]):
            if j >= 0:
                left = rows - weights[n, j] * probe.x[:, j]
                counts[n, place] = np.histogram(left / sd, edges)[0]
                without[n, place] = observables.gaussianity.kurtosis(left[:, None]).item()
    chosen = np.take_along_axis(scores, np.maximum(inputs, 0), 1)
    return {
        "units": units,
        "removed_at": removed_at.reshape(-1, *history["shape"]),
        "kurtosis": kurtosis,
        "edges": edges,
        "before": before,
        "inputs": inputs,
        "every": scores,
        "scores": np.where(inputs < 0, np.nan, chosen),
        "without": without,
        "counts": counts,
    }
