"""What the first-layer units of a finished run do: ablations and the images that drive them."""

import math

import numpy as np
import torch

from sifting import store
from sifting.config import Config
from sifting.data import Split, load
from sifting.observables.connectivity import in_degree
from sifting.results.history import History
from sifting.results.packing import Arrays
from sifting.store.experiment import Experiment
from sifting.training.layers import layers, preactivation
from sifting.training.models import build
from sifting.training.reference import evaluate, generator

UNITS = 48  # most connected units whose images are looked up
IMAGES = 9  # images kept for each of them
POINTS = 9  # numbers of removed units, 0 and all included
ORDERS = ("largest first", "random", "smallest first")


def compute(config: Config, device: str = "cpu", engine: str = "auto") -> Arrays:
    """Ablate and probe the levels History.shown of the stored run of `config`.

    returns: levels (levels,); removed (points,) numbers of units removed; ablation (levels, orders,
    points) test accuracy; top_units (levels, UNITS) by in-degree; top_images uint8 (levels, UNITS, 3,
    channels, height, width); agreement (levels, UNITS, 2) and agreement_random, see `agreement`; and the
    engine that trained the ticket.

    Raises ValueError, see `check_pixels`. Source: Pellegrini & Biroli 2022, figures 1c and 3b.
    """
    data = load(config, device)
    check_pixels(config, data.shape, data.classes)
    [history] = store.load_or_run("shown", [config], device, engine=engine)
    rows = []
    for level in history.shown:
        model = restore(history, level, data).to(device)
        draw = generator(config, "ablation", level)
        degree = in_degree(history.mask(level))
        order = np.argsort(-degree, kind="stable")
        removed = np.rint(np.linspace(0, len(degree), POINTS)).astype(int)
        orders = order, torch.randperm(len(degree), generator=draw).numpy(), order[::-1]
        units = order[:UNITS]
        images, drive = top_images(model, data.val, units)
        mask = history.mask(level)[units]
        draws = torch.randint(len(data.val), (len(units), IMAGES), generator=draw).to(device)
        rows.append(
            {
                "ablation": np.array(
                    [[ablate(model, data.test, o[:n]) for n in removed] for o in orders], np.float32
                ),
                "top_units": units,
                "top_images": images[:, :3].cpu().numpy(),
                "agreement": agreement(images, mask),
                "agreement_random": agreement(
                    data.val.images[draws.flatten()].unflatten(0, draws.shape), mask
                ),
            }
        )
    stacked = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    made = {"levels": np.array(history.shown), "removed": removed, "engine": np.array(history.engine)}
    return made | stacked


def check_pixels(config: Config, shape: tuple[int, ...], classes: int) -> None:
    """Raise ValueError unless the units of the first layer see pixels: it is a linear map of them."""
    known = layers(build(config, shape, classes, torch.Generator()))
    if not all(isinstance(layer, torch.nn.Linear) for layer in known.values()):
        raise ValueError(
            f"networks of linear maps of pixels are needed here; {config.model} has convolutions"
        )
    name, first = next(iter(known.items()))
    if first.in_features != math.prod(shape):
        raise ValueError(f"{name} of {config.model}, its first layer, is no linear map of the pixels")


def restore(history: History, level: int, data) -> torch.nn.Module:
    """The trained network of a level, from what is stored of it (half precision), in evaluation mode."""
    model = build(history.config, data.shape, data.classes, torch.Generator())
    state = {
        name: torch.from_numpy(history.parameter(level, name))
        for name, value in model.state_dict().items()
        if value.ndim
    }
    model.load_state_dict(state, strict=False)
    return model.eval()


def ablate(model: torch.nn.Module, split: Split, units: np.ndarray) -> float:
    """Accuracy when all inputs of these first-layer units are cut, without further training.

    The model is left as it was.
    """
    weight = next(iter(layers(model).values())).weight
    before = weight.detach().clone()
    with torch.no_grad():
        weight[torch.from_numpy(units.copy()).to(weight.device)] = 0
        accuracy = evaluate(model, split)
        weight.copy_(before)
    return accuracy


@torch.no_grad()
def top_images(
    model: torch.nn.Module, split: Split, units: np.ndarray, layer: int = 1
) -> tuple[torch.Tensor, torch.Tensor]:
    """The images of `split` with the highest preactivation of each of these units of a layer.

    returns : uint8 (units, images, channels, height, width), IMAGES or as many as there are, and their
              preactivations (units, images)
    """
    everything = split.batch(torch.arange(len(split), device=split.labels.device))[0]
    rows = preactivation(model, everything, layer)[:, units.copy()]
    values, index = rows.T.topk(min(IMAGES, len(split)), dim=1)
    return split.images[index.flatten()].unflatten(0, index.shape), values


def agreement(images: torch.Tensor, mask: np.ndarray) -> np.ndarray:
    """Do the images of a unit share what lies inside its mask, and only that?

    For every unit the mean correlation between pairs of its images, over the pixels (of any channel)
    that its mask keeps, and over all others.

    images  : uint8 (units, images, channels, height, width); mask : bool (units, inputs)
    returns : float32 (units, 2), inside and outside; nan of one image, and with under three inputs on a side
    """
    count = images.shape[1]
    result = np.full((len(images), 2), np.nan, np.float32)
    for unit, kept in enumerate(mask):
        flat = images[unit].reshape(count, -1).cpu().numpy().astype(np.float64)
        for side, where in enumerate((kept, ~kept)):
            if count > 1 and where.sum() >= 3:
                with np.errstate(invalid="ignore", divide="ignore"):
                    correlation = np.corrcoef(flat[:, where])
                result[unit, side] = np.nanmean(correlation[~np.eye(count, dtype=bool)])
    return result


ANATOMY = Experiment.once(compute)
