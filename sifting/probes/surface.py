"""A run, and the accuracy between its networks: along lines, and on planes through three of them."""

import copy
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.linalg import vector_norm  # Tensor.norm warns on devices of Apple's
from torch.nn import functional as F

from sifting.config import Config
from sifting.data import load_still
from sifting.probes.probed import is_probed, measured
from sifting.pruning.prunable import with_norms
from sifting.pruning.run import tensors
from sifting.results.axes import STATISTICS
from sifting.results.masks import at
from sifting.results.packing import Arrays
from sifting.training.layers import batch_statistics_
from sifting.training.models import build
from sifting.training.reference import chunk_size, generator

Point = tuple[Tensor, Tensor]  # parameters and batch-norm statistics
POINTS = 21  # of a line, both ends included
OWN = STATISTICS[:2]  # those that belong to the weights at a place: all but frozen
MARGIN = 0.3  # around the three networks of a plane, as a share of what they span along each axis


class Networks:
    """Points in the space of weights and batch-norm statistics, and what networks there say of some images.

    A point is a pair of vectors, parameters and statistics; a model of the right form is filled with them.
    x : (images, inputs); y : (images,) classes
    """

    def __init__(self, model: nn.Module, x: Tensor, y: Tensor):
        self.model, self.x, self.y = copy.deepcopy(model).eval(), x, y
        self.parameters = dict(self.model.named_parameters())
        self.statistics = {
            name: value
            for name, value in self.model.named_buffers()
            if not name.endswith("num_batches_tracked")
        }

    def point(self, state: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """The point of a network: (parameters,) and (statistics,)."""
        return tuple(
            torch.cat([state[name].flatten() for name in names] or [self.x.new_zeros(0)])
            for names in (self.parameters, self.statistics)
        )

    @torch.no_grad()
    def accuracy(
        self, weights: Tensor, statistics: Tensor, least: Tensor, recomputed: bool = False
    ) -> tuple[float, float]:
        """Accuracy in [0, 1] and mean cross-entropy at a point.

        least      : (statistics,) what no statistic may fall below: variances beyond the networks that they
                     are drawn from could be negative
        recomputed : with the statistics that the images have at these weights, layer after layer, instead
        """
        for values, named in (
            (weights, self.parameters),
            (torch.maximum(statistics, least), self.statistics),
        ):
            start = 0
            for value in named.values():
                value.copy_(values[start : start + value.numel()].view_as(value))
                start += value.numel()
        if recomputed:
            logits = batch_statistics_(self.model)(self.x)
            self.model.eval()
        else:
            logits = torch.cat([self.model(x) for x in self.x.split(chunk_size(self.model))])
        return float((logits.argmax(1) == self.y).float().mean()), float(F.cross_entropy(logits, self.y))

    def least(self, *points: tuple[Tensor, Tensor]) -> Tensor:
        """(statistics,): the smallest variance of all `points`; minus infinity for means."""
        parts = [
            torch.full(
                (value.numel(),), 0.0 if name.endswith("running_var") else -torch.inf, device=self.x.device
            )
            for name, value in self.statistics.items()
        ]
        return torch.stack([statistics for _, statistics in points]).amin(0) + torch.cat(
            parts or [self.x.new_zeros(0)]
        )

    def at(
        self, weights: Tensor, statistics: Tensor, frozen: Tensor, least: Tensor, kinds=STATISTICS
    ) -> list[tuple[float, float]]:
        """Accuracy and mean cross-entropy at a point, with each kind of statistics.

        frozen : (statistics,) those of the network that one starts from; least : as of `accuracy`
        """
        return [
            self.accuracy(weights, frozen if name == "frozen" else statistics, least, name == "recomputed")
            for name in kinds
        ]

    def line(self, start: Point, end: Point, dense: Point, points: int = POINTS) -> np.ndarray:
        """(STATISTICS, points, 2): accuracy and mean cross-entropy in even steps from one point to another.

        dense : the point whose statistics are the frozen ones
        """
        least = self.least(start, end, dense)
        rows = [
            self.at(start[0] + t * (end[0] - start[0]), start[1] + t * (end[1] - start[1]), dense[1], least)
            for t in np.linspace(0, 1, points)
        ]
        return np.array(rows).swapaxes(0, 1)

    def plane(self, three: Sequence[Point], own: np.ndarray, count: int, kinds=STATISTICS) -> Arrays:
        """The plane through three points, of which the first has the frozen statistics.

        own     : (STATISTICS, 3) their accuracies; the cells that they lie in have these
        count   : cells along each axis
        returns : plane (STATISTICS, count, count), rows from below, nan for kinds that are not asked for;
                  x, y (count,) coordinates of columns and rows; points (3, 2) those of the three
        """
        (origin, level), least = three[0], self.least(*three)
        first, second, points = axes([weights for weights, _ in three])
        spans = np.ptp(points, axis=0)
        spans[spans == 0] = 1e-3 * spans.max() or 1
        low, high = points.min(0) - MARGIN * spans, points.max(0) + MARGIN * spans
        x, y = (np.linspace(low[n], high[n], count) for n in range(2))
        # of a place as a mixture of the three networks, the shares of the last two
        shares = np.linalg.pinv((points[1:] - points[0]).T)
        found = np.full((len(STATISTICS), count, count), np.nan, np.float32)
        for row, column in np.ndindex(count, count):
            b, c = (float(share) for share in shares @ (x[column], y[row]))
            statistics = level + b * (three[1][1] - level) + c * (three[2][1] - level)
            weights = origin + float(x[column]) * first + float(y[row]) * second
            here = self.at(weights, statistics, level, least, kinds)
            found[: len(kinds), row, column] = [accuracy for accuracy, _ in here]
        for number, point in enumerate(points):
            cell = abs(y - point[1]).argmin(), abs(x - point[0]).argmin()
            found[: len(kinds), *cell] = own[: len(kinds), number]
        return {"plane": found, "x": x, "y": y, "points": points}


def axes(points: list[Tensor]) -> tuple[Tensor, Tensor, np.ndarray]:
    """Orthonormal axes of the plane through three points, and where these lie on it.

    points  : three vectors; the first is the origin, and the second lies on the first axis, which leads to
              the third where the first two are one
    returns : two unit vectors (the second 0 where all three lie on one line), and (3, 2) coordinates

    Source: Garipov et al. 2018.
    """
    one, other = (point - points[0] for point in points[1:])
    first = _unit(one) if vector_norm(one) > 0 else _unit(other)
    along = other @ first
    rest = other - along * first
    second = _unit(rest) if vector_norm(rest) > 1e-6 * vector_norm(other) else torch.zeros_like(rest)
    return first, second, np.array([[0, 0], [float(one @ first), 0], [float(along), float(rest @ second)]])


def _unit(vector: Tensor) -> Tensor:
    return vector / vector_norm(vector).clamp(min=1e-30)


class Probe:
    """Training images, and what is measured between the networks of a run.

    Raises ValueError where config asks for no images.
    """

    def __init__(self, config: Config, device: str):
        if config.probe_images < 1:
            raise ValueError("an accuracy surface needs probe_images=1 or more")
        data = load_still(config, device)
        count = min(config.probe_images, len(data.train.labels))
        x, y = data.train.batch(torch.arange(count, device=data.train.labels.device))
        model = build(config, data.shape, data.classes, generator(config, "weights")).to(device)
        self.config, self.networks = config, Networks(model, x, y)

    def measure(self, records: list[Arrays]) -> Arrays:
        """What is measured at a level that is probed, and at every one with config.cells; nothing at level 0.

        It is between the dense network, the pruned one and the retrained one of that level; see results.axes.

        line    : (LINES, STATISTICS, POINTS, 2) accuracy and mean cross-entropy from one to the other;
                  where the level is probed
        apart   : (3,) distance of the pruned and of the retrained network from the dense one, and of the two
        own     : (STATISTICS, 3) accuracy of the three networks
        and with config.cells:
        plane   : (STATISTICS, cells, cells) accuracy, rows from below; the cell that a network lies in is
                  measured there itself; with frozen statistics nan where the level is not probed
        x, y    : (cells,) coordinates of columns and rows, in units of the weights
        points  : (3, 2) those of the three networks
        """
        level = len(records) - 1
        probed = is_probed(self.config, level)
        if level == 0 or not (probed or self.config.cells):
            return {}
        cut = level - 1 if self.config.iterative else 0  # the level whose network was pruned
        dense, before, after = (
            self.networks.point(self._state(record))
            for record in (records[0], records[level - 1], records[level])
        )
        pruned = self.networks.point(self._pruned(self._state(records[cut]), records[level], level))
        pairs = (pruned, dense), (after, dense), (after, pruned)
        apart = [float(vector_norm(a[0] - b[0])) for a, b in pairs]
        least = self.networks.least(dense, pruned, after)
        own = [self.networks.at(*network, dense[1], least) for network in (dense, pruned, after)]
        found = {"apart": apart, "own": np.array(own)[:, :, 0].T}
        if probed:
            whole = self.networks.line(dense, after, dense)
            found["line"] = [whole, self.networks.line(before, after, dense) if level > 1 else whole]
        found = {name: np.array(values, np.float32) for name, values in found.items()}
        if self.config.cells:
            kinds = STATISTICS if probed else OWN
            found |= self.networks.plane((dense, pruned, after), found["own"], self.config.cells, kinds)
        return found

    def _state(self, record: Arrays) -> dict[str, Tensor]:
        return tensors(record, "trained", self.networks.x.device)

    def _pruned(self, state, record, level) -> dict[str, Tensor]:
        removed_at = tensors(record, "removed_at", self.networks.x.device)
        masks = with_norms(
            self.networks.model, {name: at(levels, level) for name, levels in removed_at.items()}
        )
        return {name: value * masks[name] if name in masks else value for name, value in state.items()}


SURFACE = measured(Probe)
