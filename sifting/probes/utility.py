"""A run, and what random sets of its weights are worth to what its networks say."""

from collections.abc import Callable

import numpy as np
import torch
from scipy import optimize
from torch import Tensor, nn

from sifting.config import Config
from sifting.data import load_still
from sifting.probes.probed import is_probed, measured
from sifting.pruning.prunable import check_masks, integer_part, prunable
from sifting.pruning.run import tensors
from sifting.results.axes import BASES, RATIOS, WINDOWS
from sifting.results.masks import at
from sifting.results.packing import Arrays
from sifting.training.models import FCN, build
from sifting.training.reference import chunk_size, generator

ALONE = 0.1  # share of the weights of one layer alone that is taken out
DRAWS = 10  # sets of each layer alone


def divergence(logits: Tensor, others: Tensor) -> Tensor:
    """Kullback-Leibler divergence between what two networks say of each image, in nats.

        sum_k f_k log(f_k / f'_k),   f = softmax(logits), f' = softmax(others)

    logits, others : (images, classes), of the one and of the other
    returns        : (images,), never below 0; finite where a probability is too small to be a number

    Source: An empirical study of a pruning mechanism 2021, definition 1.
    """
    said, other = logits.log_softmax(1), others.log_softmax(1)
    chances = said.exp()
    return torch.where(chances > 0, chances * (said - other), 0).sum(1).clamp(min=0)


def temperature(logits: Tensor, entropy: float) -> float:
    """What divides logits where their predictions are to be as sure as those of any other network.

    logits  : (images, classes)
    entropy : of softmax(logits / temperature), mean over the images, as a share of log(classes), in (0, 1)
    returns : nan for logits that are the same for all classes, or not finite: no temperature does

    Source: Guo et al. 2017, On calibration of modern neural networks, where it is fitted to the loss.
    """
    values = logits.double().cpu()
    most = np.log(values.shape[1])

    def excess(power):
        said = (values / 10.0**power).log_softmax(1)
        return -float((said.exp() * said).sum(1).mean()) / most - entropy

    if not values.isfinite().all() or excess(-9) * excess(9) > 0:
        return np.nan
    return 10.0 ** optimize.brentq(excess, -9, 9, xtol=1e-9)


class Pool:
    """The weights of a network, that of all its layers as one, some of which are taken out for a while.

    names : of the weights; default: all that are prunable, without the output layer of an FCN, which is never
            pruned, and makes up most of a sparse one
    flat  : (weights,), what the layers hold; a change of it is a change of them
    kept  : indices of the weights that there are, by the masks; layers : name -> first and last index but one

    Raises ValueError for masks of no parameters, naming the choices, and of other shapes; and for a network
    whose weights are computed from others, as torch.nn.utils.prune makes them: see training.layers.plain.
    """

    def __init__(self, model: nn.Module, masks: dict[str, Tensor], names: list[str] | None = None):
        check_masks(model, masks)
        parameters = dict(model.named_parameters())
        names = names or prunable(model, False, head=not isinstance(model, FCN))
        self.flat = torch.cat([parameters[name].detach().flatten() for name in names])
        self.values, self.layers, start = self.flat.clone(), {}, 0
        for name in names:
            stop = start + parameters[name].numel()
            parameters[name].data = self.flat[start:stop].view_as(parameters[name])
            self.layers[name] = start, stop
            start = stop
        self.kept = self.where(masks)

    def where(self, masks: dict[str, Tensor]) -> Tensor:
        """Indices of the weights that `masks` keep."""
        there = torch.ones_like(self.flat, dtype=torch.bool)
        for name, (start, stop) in self.layers.items():
            if name in masks:
                there[start:stop] = masks[name].flatten()
        return there.nonzero().squeeze(1)

    def take_out(self, index: Tensor) -> None:
        """Set the weights at `index` to 0, and all others to what they are."""
        self.flat.copy_(self.values)
        self.flat[index] = 0


def without(pool: Pool, index: Tensor, say: Callable[[], Tensor], whole: Tensor) -> tuple[Tensor, Tensor]:
    """What a network says without a set of weights, and how far it is from what it says with all.

    index   : of the weights in the pool that are set to zero
    say     : what the network says with the weights that it has, logits (images, classes)
    whole   : what it says with all weights
    returns : logits (images, classes); divergence (images,), whose mean is the utility of the set, in nats

    Source: An empirical study of a pruning mechanism 2021, definition 1.
    """
    pool.take_out(index)
    said = say()
    return said, divergence(whole, said)


class Probe:
    """Training images, and a network to put the weights of each level into.

    Raises ValueError where config asks for no sets, or for fewer than two images.
    """

    def __init__(self, config: Config, device: str):
        if config.subsets < 1 or config.probe_images < 2:
            raise ValueError("utility needs subsets=1 or more and probe_images=2 or more")
        data = load_still(config, device)
        count = min(config.probe_images, len(data.train.labels)) // 2 * 2
        self.config = config
        self.x, self.y = data.train.batch(torch.arange(count, device=data.train.labels.device))
        self.model = build(config, data.shape, data.classes, generator(config, "weights")).to(device).eval()

    @torch.no_grad()
    def measure(self, records: list[Arrays]) -> Arrays:
        """What is measured at a level that is probed, at several times.

        A time is a snapshot of the dense network, or the end of the training. Where config asks for an
        entropy, all predictions of one time are those at one temperature.

        times     : (times,) optimizer steps
        whole     : (times, 2) accuracy and mean cross-entropy
        utility   : (times, BASES, RATIOS, sets, 2) mean divergence over the even and over the odd images
                    without a set of weights; the sets of one number are the same at all times, and those of a
                    smaller share lie in those of a larger; nan where there is nothing to take out or not
                    enough
        remaining : (times, BASES, RATIOS, sets) accuracy
        units     : (units, 2) utility of all weights of a unit (or channel) of the first layer, at the end
        and of a network that is not pruned, at the end:
        windows   : (2, RATIOS, WINDOWS) accuracy without the weights of a window of ranks by size, from the
                    smallest on: of all weights, and of each layer
        layers    : (layers, up to DRAWS, 2) utility of ALONE of the weights of one layer
        """
        record, level = records[-1], len(records) - 1
        if not is_probed(self.config, level):
            return {}
        states = {
            int(step): f"snapshot/{step}"
            for step in {n.split("/")[1] for n in record if n.startswith("snapshot/")}
        }
        states[self.config.steps] = "trained"
        masks = self._masks(record, level)
        rows = []
        for step in sorted(states):
            self.pool, self.temperature = self._pool(record, states[step], masks), 1.0
            self.whole = self._say()
            if self.config.entropy:
                self.temperature = temperature(self.whole, self.config.entropy)
                self.whole = self.whole / self.temperature
            rows.append(self._sets(record, level, step))
        found = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
        found["times"] = np.array(sorted(states))
        found["units"] = self._units()
        if not self.config.levels:
            found |= {"windows": self._windows(), "layers": self._layers()}
        return found

    def _masks(self, record, level) -> dict[str, Tensor]:
        """Masks of a level by the record of that level, or of the one before."""
        return {n: at(levels, level) for n, levels in tensors(record, "removed_at", self.y.device).items()}

    def _pool(self, record, prefix, masks) -> Pool:
        self.model.load_state_dict(tensors(record, prefix, self.y.device))
        parameters = dict(self.model.named_parameters())
        for name, mask in masks.items():
            parameters[name].mul_(mask)
        return Pool(self.model, masks)

    def _say(self) -> Tensor:
        return torch.cat([self.model(x) for x in self.x.split(chunk_size(self.model))]) / self.temperature

    def _without(self, index: Tensor) -> tuple[np.ndarray, float]:
        """Mean divergence over the even and the odd images, and accuracy, without the weights at `index`."""
        said, apart = without(self.pool, index, self._say, self.whole)
        right = float((said.argmax(1) == self.y).float().mean())
        return torch.stack([apart[::2].mean(), apart[1::2].mean()]).cpu().numpy(), right

    def _sets(self, record, level, step) -> dict[str, np.ndarray]:
        config, kept, ended = self.config, self.pool.kept, step == self.config.steps
        worth = np.full((len(BASES), len(RATIOS), config.subsets, 2), np.nan, np.float32)
        left = np.full(worth.shape[:-1], np.nan, np.float32)
        pools = {"share": (kept, len(kept))}
        if config.start_density < 1 and not config.levels:
            pools["number"] = kept, len(self.pool.flat)
        if level == 0 < config.levels and ended:
            # instead of all: these are what the network after the pruning can be compared by
            survivors = self.pool.where(self._masks(record, 1))
            pools = {"survivors": (survivors, len(survivors))}
        for base, (among, size) in pools.items():
            for number in range(config.subsets):
                draw = generator(config, "subsets", number)
                order = among[torch.randperm(len(among), generator=draw).to(among.device)]
                for place, count in enumerate(integer_part(ratio, size) for ratio in RATIOS):
                    if count <= len(order):
                        where = BASES.index(base), place, number
                        worth[where], left[where] = self._without(order[:count])
        accuracy = (self.whole.argmax(1) == self.y).float().mean()
        loss = nn.functional.cross_entropy(self.whole, self.y)
        return {
            "utility": worth,
            "remaining": left,
            "whole": np.array([accuracy.cpu(), loss.cpu()], np.float32),
        }

    def _units(self) -> np.ndarray:
        start, stop = next(iter(self.pool.layers.values()))
        units = len(
            next(layer for layer in self.model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)).weight
        )
        into = torch.arange(start, stop, device=self.y.device).view(units, -1)
        return np.array([self._without(index)[0] for index in into], np.float32)

    def _windows(self) -> np.ndarray:
        sizes = self.pool.values.abs()
        ranks = torch.empty_like(sizes)
        for start, stop in self.pool.layers.values():  # rank within the layer, in [0, 1)
            order = sizes[start:stop].argsort(stable=True)
            ranks[start + order] = torch.arange(stop - start, device=order.device) / (stop - start)
        found = np.zeros((2, len(RATIOS), WINDOWS), np.float32)
        for scope, by in enumerate((sizes, ranks)):
            order = self.pool.kept[by[self.pool.kept].argsort(stable=True)]
            for place, count in enumerate(integer_part(ratio, len(order)) for ratio in RATIOS):
                for number, start in enumerate(np.linspace(0, len(order) - count, WINDOWS).astype(int)):
                    found[scope, place, number] = self._without(order[start : start + count])[1]
        return found

    def _layers(self) -> np.ndarray:
        draws = min(DRAWS, self.config.subsets)
        found = np.zeros((len(self.pool.layers), draws, 2), np.float32)
        for layer, (start, stop) in enumerate(self.pool.layers.values()):
            mine = self.pool.kept[(self.pool.kept >= start) & (self.pool.kept < stop)]
            for number in range(draws):
                draw = generator(self.config, f"layer {layer}", number)
                order = mine[torch.randperm(len(mine), generator=draw).to(mine.device)]
                found[layer, number] = self._without(order[: integer_part(ALONE, len(mine))])[0]
        return found


UTILITY = measured(Probe)
