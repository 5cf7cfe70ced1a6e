"""The layers of any network: which there are, and what the units of each see of images."""

import copy
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils import parametrize, prune

LAYER = nn.Conv2d | nn.Linear
CHUNK = 50  # images at a time whose maps are cut into patches; bounds the memory


def layers(model: nn.Module) -> dict[str, nn.Conv2d | nn.Linear]:
    """The linear maps and convolutions of a network by their names, in the order that it has them."""
    return {name: module for name, module in model.named_modules() if isinstance(module, LAYER)}


def others(model: nn.Module) -> list[str]:
    """Names of all weights that are of no such layer: parameters with two axes or more."""
    mine = {f"{name}.weight".removeprefix(".") for name in layers(model)}
    return [name for name, value in model.named_parameters() if value.ndim > 1 and name not in mine]


def check_unshared(model: nn.Module, names: Iterable[str]) -> None:
    """Raise ValueError where one of these layers has the weights of a layer before it."""
    owners = {}
    for name, layer in layers(model).items():
        owner = owners.setdefault(id(layer._parameters.get("weight", layer)), name)
        if owner != name and name in names:
            raise ValueError(f"{name} has the weights of {owner}: layers with their own weights are needed")


def plain(model: nn.Module) -> nn.Module:
    """A copy of a network whose weights are parameters, as they are used.

    Pruned ones (torch.nn.utils.prune) are 0, parametrized ones what their parametrization makes of them.
    """
    memo = {}  # torch copies no tensor that was computed, as pruned weights are
    for module in model.modules():
        for value in vars(module).values():
            if isinstance(value, Tensor) and not value.is_leaf:
                memo[id(value)] = value.detach().clone()
    copied = copy.deepcopy(model, memo)
    for module in copied.modules():
        for hook in list(module._forward_pre_hooks.values()):
            if isinstance(hook, prune.BasePruningMethod):
                prune.remove(module, hook._tensor_name)
    for module, original in zip(list(copied.modules()), list(model.modules())):
        if parametrize.is_parametrized(original):
            _settle(module, original)
    return copied


def _settle(module: nn.Module, original: nn.Module) -> None:
    """Make what is parametrized in a copy of a module parameters, with their values.

    Not by parametrize.remove_parametrizations: a copy and its original have one class, and that takes the
    attribute from it.
    """
    values = {name: getattr(original, name).detach().clone() for name in original.parametrizations}
    others = dict(module._parameters)
    module.__class__ = type(original).__base__
    del module._modules["parametrizations"]
    module._parameters.clear()
    for name, value in {**values, **others}.items():
        module.register_parameter(name, value if name in others else nn.Parameter(value))


def batch_statistics_(model: nn.Module) -> nn.Module:
    """Put a network into evaluation mode, but for batch norm, which takes the statistics of a batch."""
    model.eval()
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.train()
    return model


def preactivation(model: nn.Module, x: Tensor, layer: int = 1) -> Tensor:
    """(images, units): what the linear map of that number, 1 the first, puts out of images."""
    if hasattr(model, "preactivation"):
        return model.preactivation(x, layer)
    said, one = [], list(layers(model).values())[layer - 1]
    handle = one.register_forward_hook(lambda module, given, found: said.append(found))
    try:
        model(x)
    finally:
        handle.remove()
    return said[0]


def seen(
    model: nn.Module, x: Tensor, names: Iterable[str], draw: torch.Generator | None = None, chunk: int = 0
) -> dict[str, Tensor]:
    """What the units of layers see of images.

    Of a map with many places (a convolution, a linear map of many tokens) one place of each image, drawn at
    random.

    names   : of layers
    chunk   : images to show at once; 0: all
    returns : layer -> (groups, images, inputs), in the order of its weights; there is one group, unless a
              convolution has more

    Raises ValueError for a layer that an image does not pass, or passes twice.
    """
    found, known = {name: [] for name in names}, layers(model)
    passed = dict.fromkeys(found, 0)

    def watch(name):
        def hook(layer, given):
            passed[name] += 1
            found[name].append(_rows(layer, given[0].detach(), draw))

        return known[name].register_forward_pre_hook(hook)

    handles = [watch(name) for name in found]
    parts = x.split(chunk or len(x))
    try:
        for part in parts:
            model(part)
    finally:
        for handle in handles:
            handle.remove()
    odd = {name: count / len(parts) for name, count in passed.items() if count != len(parts)}
    if odd:
        said = ", ".join(f"{name} ({count:g} times)" for name, count in odd.items())
        raise ValueError(f"layers that an image passes once are needed; not so {said}")
    return {name: torch.cat(rows, 1) for name, rows in found.items()}


def _rows(layer: nn.Module, x: Tensor, draw: torch.Generator | None) -> Tensor:
    """(groups, images, inputs) of what goes into a layer, at one place of each image."""
    if isinstance(layer, nn.Linear):
        if x.ndim == 2:
            return x.clone()[None]  # what a network changes in place stays as it was seen
        x = x.flatten(1, -2)
        return x[torch.arange(len(x), device=x.device), _places(len(x), x.shape[1], draw).to(x.device)][None]
    rows = []
    for part in x.split(CHUNK):
        padded = layer._reversed_padding_repeated_twice
        if any(padded):
            mode = "constant" if layer.padding_mode == "zeros" else layer.padding_mode
            part = F.pad(part, padded, mode=mode)
        patches = F.unfold(
            part, layer.kernel_size, layer.dilation, 0, layer.stride
        )  # (images, inputs, places)
        places = _places(len(patches), patches.shape[2], draw).to(x.device)
        rows.append(patches[torch.arange(len(patches), device=x.device), :, places])
    return torch.cat(rows).unflatten(1, (layer.groups, -1)).movedim(1, 0)


def _places(images: int, places: int, draw: torch.Generator | None) -> Tensor:
    device = draw.device if draw else "cpu"
    return torch.randint(places, (images,), generator=draw, device=device)
