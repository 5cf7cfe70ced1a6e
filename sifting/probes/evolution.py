"""A run, what its networks say of held-out images, and how its weights change from level to level."""

import numpy as np
import torch
from scipy import stats

from sifting.config import Config
from sifting.data import load
from sifting.probes.probed import measured
from sifting.results import packing
from sifting.results.masks import at
from sifting.training.models import build
from sifting.training.reference import generator

FEW = 6_000  # layers with no more weights, the first and the last one are kept whole, at every level
# in which probabilities are kept; with 255, those of a network that knows nothing are often equal
STEPS = 65_535


class Probe:
    """The held-out images, and a network to put the weights of each level into."""

    def __init__(self, config: Config, device: str):
        data = load(config, device)
        self.splits = data.val, data.test
        self.model = build(config, data.shape, data.classes, generator(config, "weights")).to(device).eval()

    @torch.no_grad()
    def measure(self, records: list[dict]) -> dict:
        """What the network of a level says:

        votes    : uint16 (images, classes), probabilities in units of 1 / STEPS, of the validation images and
                   then of the test images
        and at level 0:
        truth    : uint8 (images,), their classes
        held_out : how many of them are validation images
        """
        trained = {
            name.removeprefix("trained/"): torch.from_numpy(value)
            for name, value in records[-1].items()
            if name.startswith("trained/")
        }
        self.model.load_state_dict(trained)
        votes, truth = [], []
        for split in self.splits:
            for index in torch.arange(len(split), device=split.labels.device).split(1000):
                x, labels = split.batch(index)
                votes.append(self.model(x).softmax(1).nan_to_num_(0))
                truth.append(labels)
        found = {"votes": (torch.cat(votes) * STEPS).round().cpu().numpy().astype(np.uint16)}
        if len(records) == 1:
            found["truth"] = torch.cat(truth).to(torch.uint8).cpu().numpy()
            found["held_out"] = np.array(len(self.splits[0]))
        return found


def pack(records: list[dict], config: Config) -> dict:
    """The masks and accuracies of the run, as packing.pack_masks keeps them, and

    votes, truth     : (levels, images, classes) and (images,), see Probe.measure; held_out
    initial/NAME     : float16, weights at the rewind point, of the first and the last layer and of those with
                       no more than FEW
    weights/NAME     : float16 (levels, *shape), these as each level left them, 0 where they are pruned
    and of every layer (levels - 1,), over the weights kept after level n, from the end of level n - 1 to that
    of n:
    change/NAME      : mean |w(n) - w(n - 1)|
    relative/NAME    : the same over mean |w(n - 1)|
    order/NAME       : Spearman's rank correlation of |w(n)| and |w(n - 1)|
    """
    found = [packing.measured(record) for record in records]
    packed = packing.pack_masks(records, config) | {"votes": np.stack([some["votes"] for some in found])}
    packed |= {name: found[0][name] for name in ("truth", "held_out")}
    names = [name.removeprefix("removed_at/") for name in packed if name.startswith("removed_at/")]
    for name in names:
        removed_at = packed[f"removed_at/{name}"]
        rows = [
            np.where(at(removed_at, level), record[f"trained/{name}"], 0)
            for level, record in enumerate(records)
        ]
        if removed_at.size <= FEW or name in (names[0], names[-1]):
            packed[f"initial/{name}"] = packing.half(records[0][f"rewind/{name}"])
            packed[f"weights/{name}"] = packing.half(np.stack(rows))
        changes = [_change(*pair, at(removed_at, level)) for level, pair in enumerate(zip(rows, rows[1:]), 1)]
        for what, values in zip(
            ("change", "relative", "order"), np.array(changes, np.float32).reshape(-1, 3).T
        ):
            packed[f"{what}/{name}"] = values
    return packed


def _change(before: np.ndarray, after: np.ndarray, kept: np.ndarray) -> tuple[float, float, float]:
    """Of the kept weights: mean absolute change; that over their mean size; rank correlation of sizes."""
    before, after = before[kept], after[kept]
    if len(before) < 3 or not np.isfinite(after).all():
        return np.nan, np.nan, np.nan
    change, before, after = abs(after - before).mean(), abs(before), abs(after)
    ranked = before.max() > before.min() and after.max() > after.min()
    return change, change / before.mean(), stats.spearmanr(before, after).statistic if ranked else np.nan


EVOLUTION = measured(Probe, pack)
