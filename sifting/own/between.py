"""The ground between networks of one form: accuracy along lines and on planes through them."""

import numpy as np
from torch import nn

from sifting.observables.surface import barrier
from sifting.own import given
from sifting.probes.surface import POINTS, Networks, Point
from sifting.results.axes import STATISTICS

CELLS = 21  # of a plane, along each axis


class Between:
    """Networks of one form and images, see `networks`."""

    def __init__(self, model: nn.Module, images, labels):
        if labels is None:
            raise ValueError("labels are needed, for accuracy")
        form = given.network(model)
        self._networks = Networks(form, *given.images(form, images, labels))
        self._state = form.state_dict()

    def line(self, a, b, points: int = POINTS) -> dict[str, dict[str, np.ndarray]]:
        """Accuracy and loss at points in even steps from network a to network b, both included.

        returns : statistics -> accuracy (points,), in [0, 1]; loss (points,), mean cross-entropy in nats
        """
        start, end = self._point(a, "a"), self._point(b, "b")
        found = self._networks.line(start, end, start, _count("points", points))
        return {kind: {"accuracy": rows[:, 0], "loss": rows[:, 1]} for kind, rows in zip(STATISTICS, found)}

    def barrier(self, a, b, points: int = POINTS) -> dict[str, float]:
        """How far accuracy falls on the line from a to b, below the straight mixture of its ends.

        returns : statistics -> barrier, between 0 and 1; see observables.surface.barrier
        """
        return {kind: float(barrier(row["accuracy"])) for kind, row in self.line(a, b, points).items()}

    def plane(self, a, b, c, cells: int = CELLS) -> dict:
        """Accuracy on the plane through three networks.

        returns : statistics (names,); accuracy (statistics, cells, cells), in [0, 1], rows from below;
                  x, y (cells,), places of columns and rows, in units of the weights; points (3, 2), those of
                  a, b and c; own (statistics, 3), their accuracies. SurfaceExplorer takes it
        """
        three = [self._point(network, name) for network, name in zip((a, b, c), "abc")]
        least = self._networks.least(*three)
        own = [self._networks.at(*point, three[0][1], least) for point in three]
        own = np.array(own, np.float32)[:, :, 0].T
        found = self._networks.plane(three, own, _count("cells", cells))
        return {"statistics": STATISTICS, "accuracy": found.pop("plane"), **found, "own": own}

    def _point(self, network, name: str) -> Point:
        """The point of a network, or of its state."""
        state = given.network(network).state_dict() if isinstance(network, nn.Module) else network
        try:
            there = {key: tuple(value.shape) for key, value in state.items()}
        except AttributeError:
            raise ValueError(
                f"{name} is to be a module or its state_dict, not {type(network).__name__}"
            ) from None
        form = {key: tuple(value.shape) for key, value in self._state.items()}
        if there != form:
            odd = [key for key in {**form, **there} if form.get(key) != there.get(key)]
            words = [f"{key} {there.get(key, 'missing')}, not {form.get(key, 'there')}" for key in odd[:4]]
            words = "; ".join(words) + " and more" * (len(odd) > 4)
            raise ValueError(
                f"network {name} is of another form: {words}; give modules, not states, where weights are "
                "pruned by torch.nn.utils.prune or parametrized"
            )
        like = self._networks.x
        state = {key: value.detach().to(like.device) for key, value in state.items()}
        if not all(value.isfinite().all() for value in state.values()):
            raise ValueError(f"network {name} has weights that are no numbers")
        return tuple(values.to(like.dtype) for values in self._networks.point(state))


def networks(model: nn.Module, images, labels) -> Between:
    """What lies between networks of one form: .line(a, b), .barrier(a, b) and .plane(a, b, c).

    model  : a network of that form, which is left as it is
    images : (images, ...) floats, as the model takes them; all are shown at every point
    labels : (images,) whole numbers

    a, b and c are modules, also pruned by torch.nn.utils.prune or parametrized, or state_dicts of plain ones.
    Everything is measured with three kinds of batch-norm statistics: "interpolated", like the weights;
    "recomputed", those that the images have at these weights, layer after layer; and "frozen", those of a.
    Without batch norm they say the same.

    Raises ValueError, saying what is needed, for images and labels that do not fit the network, and for
    networks of another form.
    Source: Frankle et al. 2020; Garipov et al. 2018; An empirical study of a pruning mechanism 2021.
    """
    return Between(model, images, labels)


def _count(what: str, number) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or number < 2:
        raise ValueError(f"{what} is a whole number, 2 or more, not {number!r}")
    return number
