"""What a network says of images, and which of its weights and units that hangs on."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sifting.config import Config, choose
from sifting.observables import gaussianity
from sifting.own import given
from sifting.probes.utility import Pool, without
from sifting.pruning.prunable import integer_part
from sifting.results.axes import RATIOS
from sifting.training.layers import layers as layers_of
from sifting.training.layers import seen
from sifting.training.reference import chunk_size, generator


@torch.no_grad()
def examine(
    model: nn.Module,
    images,
    labels=None,
    masks=None,
    layers=None,
    layer: str | None = None,
    sets: int = 20,
    seed: int = 0,
) -> dict:
    """Kurtosis, cavity scores, utility of sets of weights and worth of units of a network.

    model   : any module that makes (images, classes) of images; it is left as it is, and looked at in
              evaluation mode. Pruned weights (torch.nn.utils.prune) and parametrized ones are taken as they
              are used
    images  : (images, ...) floats, as the model takes them; two or more
    labels  : (images,) whole numbers, for its accuracy
    masks   : of its weights, in any form, see results.masks.read; default: its own. Layers without one keep
              all of their weights that are not 0
    layers  : names of the linear maps and 2d convolutions to look at; default: all, if there are no others
    layer   : the one whose units are taken out, or its weights, by name; default: the first of these
    sets    : random sets of weights of each size; 0: none
    seed    : of these sets, and of the places on maps

    returns : accuracy, in [0, 1], and loss, mean cross-entropy in nats, where there are labels
              kept        weights that `layers` keep in all
              shares      of these that a set has
              utility     (shares, sets) mean divergence, in nats, of what the network says without a set from
                          what it says with all, see probes.utility.divergence; nan for sets of no weight
              unit_worth  (units,) the same without all weights into a unit of `layer`; its bias stays
              layers      name -> kurtosis, (units,) of what each unit says of the images before activation
                          (3: Gaussian; nan where it says the same of all), and cavity, of the shape of its
                          weights, the cavity score of each, see observables.gaussianity.cavity (nan where
                          pruned, and in units with fewer than three inputs)

    What a map says is taken at one place of each image, drawn at random.
    Raises ValueError, saying what is needed, for images and labels that do not fit the network, for names
    that there are not, weights that would be left out, and layers that an image does not pass exactly once.
    Source: Redman et al. 2024, equations 4 and 5; An empirical study of a pruning mechanism 2021,
    definition 1.
    """
    if isinstance(sets, bool) or not isinstance(sets, int) or sets < 0:
        raise ValueError(f"sets is a whole number, 0 or more, not {sets!r}")
    original, model = model, given.network(model)
    names = given.names(model, layers)
    if layer is not None:
        layer = layer.removesuffix(".weight")
        choose("layer", layer, names)
    x, y = given.images(model, images, labels)
    kept = given.masks(model, original, masks, names)
    found = {"layers": _gaussianity(model, x, names, seed)}
    pool, chunk = Pool(model, kept, list(kept)), chunk_size(model)

    def say() -> Tensor:
        return torch.cat([model(part) for part in x.split(chunk)])

    def worth(index: Tensor) -> float:
        return float(without(pool, index, say, whole)[1].mean())

    whole = given.numbers(model, say())
    if y is not None:
        found["accuracy"] = float((whole.argmax(1) == y).float().mean())
        found["loss"] = float(F.cross_entropy(whole, y))
    found |= {"kept": len(pool.kept), "shares": RATIOS, "utility": _utility(pool, worth, sets, seed)}
    start, stop = pool.layers[f"{layer or names[0]}.weight".removeprefix(".")]
    units = len(layers_of(model)[layer or names[0]].weight)
    index = torch.arange(start, stop, device=x.device).view(units, -1)
    found["unit_worth"] = np.array([worth(unit) for unit in index])
    return found


def _gaussianity(model: nn.Module, x: Tensor, names: list[str], seed: int) -> dict[str, dict]:
    """Kurtosis and cavity scores of each layer, in double precision."""
    draw, found, known = generator(Config(seed=seed), "places"), {}, layers_of(model)
    for name, rows in seen(model, x, names, draw, chunk_size(model)).items():
        weights = known[name].weight.double()
        parts = list(zip(rows.double(), weights.flatten(1).chunk(len(rows))))
        values = [gaussianity.kurtosis(inputs @ some.T) for inputs, some in parts]
        scores = [gaussianity.cavity(*part)[0] for part in parts]
        found[name] = {
            "kurtosis": torch.cat(values).cpu().numpy(),
            "cavity": torch.cat(scores).view(weights.shape).cpu().numpy(),
        }
    return found


def _utility(pool: Pool, worth, sets: int, seed: int) -> np.ndarray:
    """(RATIOS, sets); the sets of a smaller share lie in those of a larger."""
    found = np.full((len(RATIOS), sets), np.nan)
    for number in range(sets):
        draw = generator(Config(seed=seed), "subsets", number)
        order = pool.kept[torch.randperm(len(pool.kept), generator=draw).to(pool.kept.device)]
        for place, share in enumerate(RATIOS):
            if count := integer_part(share, len(order)):
                found[place, number] = worth(order[:count])
    return found
