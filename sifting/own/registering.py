"""Names for networks and images of one's own, by which everything of the book takes them."""

import io
import os
import pathlib
from collections.abc import Callable

from torch import nn

from sifting.config import content, own
from sifting.data import own as data_own


def register(network: nn.Module | Callable | str | None = None, images=None) -> dict[str, str]:
    """Make a network and images of one's own known, so that runs, and chapters, can be of them.

    network : a class or a function that makes networks, of those of the arguments shape (channels, height,
              width), classes, num_classes and in_channels that it has; MODULE:NAME, where such a one is; or a
              network, whose values are those to begin with. It makes (images, classes) of images or of rows
    images  : a folder with a folder for each class, or with train, val and test that have these; or bytes
              and labels, (images, labels), images uint8 (n, channels, height, width); or split -> such a
              pair, for the splits train, val and test. What is not given for validation and testing is taken
              from the training images, at most a tenth each

    returns : settings, model and dataset, to be given as `overrides` to a chapter or as settings to a run. On
              the command line the same is set="model=MODULE:NAME dataset=folder:PATH", without registering

    Names end in a digest of the content: of the code of the file, and of what it imports from beside it; of
    the code and the values of what is no part of a file, as in a notebook; of the images. So another content
    has other results. What lies in no file is kept in the folder of results, for other processes and machines
    to find; it is kept as pickle, so that who computes in a folder of results trusts who wrote there.

    Raises ValueError, saying what is needed, for what is neither.
    """
    found = {}
    if network is not None:
        found["model"] = _network(network)
    if images is not None:
        found["dataset"] = _images(images)
    if not found:
        raise ValueError("give a network, images, or both")
    return found


def _network(network) -> str:
    if isinstance(network, str):
        if ":" not in network:
            raise ValueError(f"a network is given by {own.CODE}, as mynets:MyNet, not {network!r}")
        return own.stamp(network)
    if not callable(network):
        raise ValueError(f"a class, a function or a torch.nn.Module is needed, not {type(network).__name__}")
    if place := content.place_of(network):
        return own.stamp(place)
    import cloudpickle

    kept = io.BytesIO()
    try:
        cloudpickle.dump(network, kept)
    except Exception as error:  # whatever a network holds says no to it
        raise ValueError(f"the network cannot be sent to other processes: {error}; give its class") from None
    what = network if hasattr(network, "__qualname__") else type(network)
    name = "".join(letter if letter.isalnum() else "-" for letter in what.__qualname__.rpartition(".")[2])
    name = f"{name.strip('-') or 'network'}@{content.digest(network)}"
    own.keep(name, ".pkl", kept.getvalue())
    return name


def _images(images) -> str:
    if isinstance(images, str | os.PathLike):
        text = os.fspath(images).removeprefix(own.FOLDER)
        return own.stamp(f"{own.FOLDER}{pathlib.Path(text)}", folder=True)
    return data_own.register(images)
