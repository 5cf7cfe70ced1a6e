"""A network and images as somebody gives them, looked at before anything is computed."""

import numpy as np
import torch
from torch import Tensor, nn

from sifting.config import choose
from sifting.results import masks as masks_room
from sifting.training.layers import check_unshared, layers, others, plain


def network(model: nn.Module) -> nn.Module:
    """A copy of a network in evaluation mode, with its weights as they are used, see layers.plain.

    Raises ValueError for what is no network with values.
    """
    if not isinstance(model, nn.Module):
        raise ValueError(f"a torch.nn.Module is needed, not {type(model).__name__}")
    values = [*model.parameters(), *model.buffers()]
    if any(nn.parameter.is_lazy(value) for value in values):
        raise ValueError(f"{type(model).__name__} has weights of no size yet: show it an image first")
    if not values or any(value.is_meta for value in values):
        raise ValueError(f"{type(model).__name__} has no weights with values")
    return plain(model).eval()


def images(model: nn.Module, x, y=None) -> tuple[Tensor, Tensor | None]:
    """Images and their classes, as tensors where the network is.

    Raises ValueError, saying what is needed, unless the network takes the images and puts out a number for
    each class, and there is a class for every image.
    """
    x, like = _tensor(x, "images"), next(model.parameters())
    if not x.is_floating_point():
        raise ValueError(f"images are needed as the network takes them, floats; these are {x.dtype}")
    if x.ndim < 2 or len(x) < 2:
        raise ValueError(f"two images or more are needed, (images, ...), not {tuple(x.shape)}")
    if not x.isfinite().all():
        raise ValueError("images are needed whose pixels are all numbers; some of these are nan or infinity")
    x = x.to(like)
    try:
        with torch.no_grad():
            said = model(x[:2])
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        who, shape = type(model).__name__, tuple(x.shape)
        raise ValueError(f"{who} does not take images {shape}: {str(error).partition(chr(10))[0]}") from None
    if not isinstance(said, Tensor) or said.ndim != 2 or len(said) != 2:
        form = tuple(said.shape) if isinstance(said, Tensor) else type(said).__name__
        raise ValueError(f"a network is needed that makes (images, classes) of images, not {form} of two")
    numbers(model, said)
    if y is None:
        return x, None
    y = _tensor(y, "labels")
    if y.is_floating_point() or y.dtype == torch.bool or y.shape != (len(x),):
        raise ValueError(
            f"labels are whole numbers, one for each of {len(x)} images, not {y.dtype} {tuple(y.shape)}"
        )
    if y.min() < 0 or y.max() >= said.shape[1]:
        raise ValueError(
            f"labels are from 0 to {said.shape[1] - 1}, for the network knows {said.shape[1]} classes; "
            f"these are from {int(y.min())} to {int(y.max())}"
        )
    return x, y.to(like.device, torch.int64)


def numbers(model: nn.Module, said: Tensor) -> Tensor:
    """What a network says of images. Raises ValueError unless these are numbers, neither nan nor infinity."""
    if not said.isfinite().all():
        raise ValueError(f"{type(model).__name__} says nan or infinity of some of these images")
    return said


def _tensor(values, what: str) -> Tensor:
    if isinstance(values, Tensor):
        return values.detach()
    try:
        return torch.from_numpy(np.array(values))
    except (TypeError, ValueError):
        raise ValueError(f"{what} are needed as an array, not {type(values).__name__}") from None


def names(model: nn.Module, wanted) -> list[str]:
    """Names of the layers that are looked at: those that are wanted, or all.

    Raises ValueError for names that there are not, for layers that share their weights, and, where all are
    wanted, for weights of other modules.
    """
    known = layers(model)
    if not known:
        raise ValueError(f"{type(model).__name__} has no linear map and no 2d convolution")
    found = [wanted] if isinstance(wanted, str) else list(known if wanted is None else wanted)
    found = [str(name).removesuffix(".weight") for name in found]
    for name in found:
        choose("layer", name, known)
    if not found:
        raise ValueError(f"no layer is named; choose from {', '.join(known)}")
    if wanted is None and (left := others(model)):
        raise ValueError(
            f"{', '.join(left)} would be left out, weights of no linear map and no 2d convolution: "
            f"name the layers to look at, layers=[...], among {', '.join(known)}"
        )
    check_unshared(model, found)
    return found


def masks(model: nn.Module, original: nn.Module, found, wanted: list[str]) -> dict[str, Tensor]:
    """Masks of the weights of the wanted layers of `model`, whose weights they are put on.

    found : in any form, see results.masks.read; None: those of `original`. Layers without one keep what of
            their weights is not 0
    """
    read = masks_room.read(original if found is None else found)
    parameters = dict(model.named_parameters())
    for name, mask in read.items():
        if found is not None:
            choose("mask", name, parameters)
            if mask.shape != parameters[name].shape:
                form = tuple(parameters[name].shape)
                raise ValueError(f"the mask of {name} is {mask.shape}, and its weights are {form}")
        if name in parameters:
            with torch.no_grad():
                parameters[name].mul_(torch.from_numpy(mask).to(parameters[name].device))
    there = {f"{name}.weight".removeprefix("."): None for name in wanted}
    return {
        name: torch.from_numpy(read[name]).to(parameters[name].device)
        if name in read
        else parameters[name].detach() != 0
        for name in there
    }
