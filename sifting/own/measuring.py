"""What masks look like, of whatever network: numbers, each beside those of random masks; no torch."""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from sifting.config import choose
from sifting.observables import connectivity, locality, similarity
from sifting.results import masks as masks_room

GROUPS = 10  # of units, one of which is left out in turn for an error


def measure(masks, shape=None, other=None, layer: str | None = None, seed: int = 0) -> dict[str, dict]:
    """Degrees, likeness and locality of the masks of a network, each beside what chance makes of it.

    masks   : a module (plain, parametrized, or pruned by torch.nn.utils.prune), a run, or masks by their
              names or one by itself, of NumPy or torch, bool or 0 and 1; see results.masks.read
    shape   : (channels, height, width) of the images, for numbers of locality; None: without these
    other   : masks of a second network of the same form, in any of these forms
    layer   : the mask whose inputs are pixels, in the order channel, height, width, or the layer that it is
              of; default: the first
    seed    : of the random masks

    returns : name -> of every mask

        kept, size, density       weights left; all; their share
        alive                     share of units with an input
        in_degree, out_degree     (units,) kept inputs; (inputs,), of a convolution (channels,), kept outputs
        degree_excess             variance of the in-degree over that of a random mask, which has 1

      with another network

        jaccard, jaccard_chance   |both| / |either|; the same expected of random masks with as many weights

      and where inputs are pixels

        localization              (units,) Lambda of each, see observables.locality.localization
        locality, locality_error  its mean, 0 without locality and 1 for blobs; standard error over units
        locality_random           the same number for as many weights at random
        locality_rewired          the same number for random masks with all degrees kept
        enrichment                how much likelier two inputs of a unit are neighbors than of two units
        width_x, width_y          of receptive fields, in pixels, see observables.locality.rf_width
        width_random              mean width of as many weights at random: that of the images

    A number that cannot be had, as of units with fewer than ten pairs of inputs, is nan.
    Raises ValueError, saying what is needed, for what is no mask, for names and shapes of the two networks
    that differ, and where the inputs of that layer are not as many as pixels.
    Source: Pellegrini & Biroli 2022, section 3; Redman et al. 2024, section 2.2; Lambda is ours.
    """
    found, draw = masks_room.read(masks), np.random.default_rng(seed)
    second = {} if other is None else masks_room.read(other)
    if other is not None and _shapes(found) != _shapes(second):
        raise ValueError(f"the two networks differ in form: {_differ(_shapes(found), _shapes(second))}")
    pixels = None if shape is None else _pixels(found, shape, layer)
    if shape is None and layer is not None:
        raise ValueError("layer is of the pixels of images: give their shape, too")
    numbers = {name: _numbers(mask) for name, mask in found.items()}
    for name, mask in second.items():
        numbers[name]["jaccard"] = masks_room.jaccard(found[name], mask)
        sizes = int(found[name].sum()), int(mask.sum()), mask.size
        numbers[name]["jaccard_chance"] = similarity.chance_jaccard(*sizes)
    if pixels:
        numbers[pixels] |= _local(found[pixels], tuple(shape), draw)
    return numbers


def _shapes(masks: dict[str, np.ndarray]) -> dict[str, tuple]:
    return {name: mask.shape for name, mask in masks.items()}


def _differ(some: dict, others: dict) -> str:
    """How names and shapes differ, in words."""
    names = [name for name in {**some, **others} if some.get(name) != others.get(name)]
    forms = [(name, *(each.get(name, "missing") for each in (some, others))) for name in names]
    return "; ".join(f"{name} is {one} and {another}" for name, one, another in forms)


def _pixels(masks: dict[str, np.ndarray], shape, layer: str | None) -> str:
    """The name of the mask whose inputs are the pixels of images of that shape."""
    try:
        channels, height, width = map(operator.index, shape)
        if min(channels, height, width) < 1:
            raise ValueError
    except (TypeError, ValueError):
        raise ValueError(f"shape is (channels, height, width), as (1, 28, 28), not {shape!r}") from None
    size, words = channels * height * width, f"{channels} x {height} x {width}"
    if layer is not None:
        layer = layer if layer in masks else f"{layer}.weight" if f"{layer}.weight" in masks else layer
        choose("layer", layer, masks)
    name = layer or next(iter(masks))
    if masks[name].ndim != 2 or masks[name].shape[1] != size:
        raise ValueError(
            f"the inputs of {name} are not {words} = {size} pixels, so that there is no locality to be "
            "measured: leave shape out, or name the layer whose inputs are pixels (layer=), or see whether "
            f"this is the shape of the images; there are {_words(masks)}"
        )
    return name


def _words(masks: dict[str, np.ndarray]) -> str:
    return ", ".join(f"{name} {' x '.join(map(str, mask.shape))}" for name, mask in masks.items())


def _numbers(mask: np.ndarray) -> dict[str, Any]:
    flat = mask.reshape(len(mask), -1)
    kept = int(mask.sum())
    many = len(mask) > 1  # a variance is of two units or more
    return {
        "kept": kept,
        "size": mask.size,
        "density": kept / mask.size,
        "alive": masks_room.alive(flat),
        "in_degree": connectivity.in_degree(flat),
        "out_degree": connectivity.out_degree(flat).reshape(mask.shape[1], -1).sum(1),
        "degree_excess": connectivity.degree_excess(flat) if many else float("nan"),
    }


def _local(mask: np.ndarray, shape: tuple[int, int, int], draw: np.random.Generator) -> dict[str, Any]:
    each = locality.localization(mask, shape)
    random = locality.random_mask(mask, draw)
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "localization": each,
            "locality": _mean(each),
            "locality_error": _error(lambda some: _mean(locality.localization(some, shape)), mask),
            "locality_random": _mean(locality.localization(random, shape)),
            "locality_rewired": _mean(locality.localization(connectivity.rewire(mask, draw), shape)),
            "enrichment": locality.enrichment(mask, shape),
            **dict(zip(("width_x", "width_y"), _widths(mask, shape))),
            "width_random": float(np.mean(_widths(random, shape))),
        }


def _mean(values: np.ndarray) -> float:
    """Mean of what is a number; nan where nothing is."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")


def _error(number: Callable[[np.ndarray], float], mask: np.ndarray) -> float:
    groups = min(GROUPS, len(mask))
    return float(connectivity.jackknife(number, mask, groups)) if groups > 1 else float("nan")


def _widths(mask: np.ndarray, shape: tuple[int, int, int]) -> tuple[float, float]:
    x, y = locality.rf_width(locality.same_counts(mask, shape).sum(0))
    return float(x), float(y)
