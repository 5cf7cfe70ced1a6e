"""Networks of one's own, made to take and to put out what all others do; see config.own for their names."""

import inspect

import torch
from torch import Tensor, nn

from sifting.config import own
from sifting.training.layers import LAYER, plain

KNOWN = ("shape", "classes", "num_classes", "in_channels")  # arguments that who makes networks is given


class Unflatten:
    """What a network is shown: images of a shape, (images, channels, height, width), instead of rows."""

    def __init__(self, shape: tuple[int, ...]):
        self.shape = tuple(shape)

    def __call__(self, module: nn.Module, given: tuple) -> tuple:
        """The arguments of a module with the images unflattened."""
        return (given[0].unflatten(1, self.shape), *given[1:])


def build(name: str, shape: tuple[int, ...], classes: int, generator: torch.Generator) -> nn.Module:
    """The network of a name of one's own, for (images, pixels), on the CPU.

    A class or a function makes it, from those arguments of KNOWN that it has; torch's own random numbers,
    which it may draw, derive from `generator`. A network that was registered has the values that it had then.
    Pruned and parametrized weights are taken as they are used.

    Raises ValueError, saying what is needed, for what makes no network for such images and classes.
    """
    made = own.fetch(name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(torch.randint(2**62, (), generator=generator)))
        who = name.rpartition("@")[0]
        model = made if isinstance(made, nn.Module) else _called(made, who, shape, classes)
        if not isinstance(model, nn.Module):
            raise ValueError(f"{who} makes no torch.nn.Module, but {type(model).__name__}")
        if frozen := [key for key, value in model.named_parameters() if not value.requires_grad]:
            raise ValueError(
                f"{who} has parameters without a gradient, {', '.join(frozen)}: training would move them; "
                "say requires_grad_(True) of them"
            )
        model = nn.Sequential(model) if isinstance(model, LAYER) else model  # so that the layer has a name
        with torch.no_grad():
            takes = _takes(model.float().cpu().eval(), who, shape, classes)
    model = plain(model).train()
    if takes == "images":
        model.register_forward_pre_hook(Unflatten(shape))
    return model


def _called(made, who: str, shape: tuple[int, ...], classes: int):
    """What a class or a function makes."""
    if not callable(made):
        raise ValueError(f"{who} is no class, function or network, but {type(made).__name__}")
    known = dict(zip(KNOWN, (tuple(shape), classes, classes, shape[0])))
    try:
        parameters = inspect.signature(made).parameters.values()
    except (TypeError, ValueError):
        parameters = ()
    needed = [
        one.name
        for one in parameters
        if one.default is one.empty and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
    ]
    if lacking := [name for name in needed if name not in known]:
        raise ValueError(
            f"{who} needs {', '.join(lacking)}; known are {', '.join(KNOWN)}: give a function of these"
        )
    return made(**{one.name: known[one.name] for one in parameters if one.name in known})


def _takes(model: nn.Module, who: str, shape: tuple[int, ...], classes: int) -> str:
    """Whether a network takes images as they are, or as rows."""
    said = {}
    for form, images in (("images", torch.zeros(2, *shape)), ("rows", torch.zeros(2, *shape).flatten(1))):
        try:
            found = model(images)
        except (RuntimeError, ValueError, TypeError, IndexError) as error:
            said[form] = str(error).partition("\n")[0]
            continue
        if isinstance(found, Tensor) and found.ndim == 2 and len(found) == 2:
            if found.shape[1] != classes:
                raise ValueError(
                    f"{who} puts out {found.shape[1]} numbers for an image, and there are {classes} classes; "
                    "an argument `classes` is given their number"
                )
            return form
        said[form] = f"puts out {tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__}"
    words = "; ".join(f"as {form}: {why}" for form, why in said.items())
    raise ValueError(
        f"{who} does not make (images, classes) of images of {' x '.join(map(str, shape))}: {words}"
    )
