"""Images small enough to travel inside a page, for networks that train in a browser."""

import numpy as np
import torch
from torch.nn import functional as F

from sifting.config import Config
from sifting.data import archives, photos

SIDE = 160  # pixels a side of a photograph


def photographs(side: int = SIDE) -> dict[str, np.ndarray]:
    """The middle square of every picture of `photos`, its pixels the means of those that they cover.

    returns : name -> uint8 (channels, side, side); one channel where the picture is gray
    """
    found = {}
    for name in photos.PICTURES:
        picture = photos.read(name).float()
        least = min(picture.shape[1:])
        top, left = ((length - least) // 2 for length in picture.shape[1:])
        square = picture[:, top : top + least, left : left + least]
        small = F.interpolate(square[None], size=(side, side), mode="area")[0].round().to(torch.uint8)
        gray = (small[0] == small[1]).all() and (small[0] == small[2]).all()
        found[name] = small[: 1 if gray else 3].numpy()
    return found


def digits() -> tuple[np.ndarray, np.ndarray]:
    """The digits that train `archives.digits`, at half their size, and which they are.

    returns : uint8 (4000, 1, 14, 14), in 16 shades, and uint8 (4000,)
    """
    images, labels = archives.digits(Config(dataset="digits"))["train"]
    small = F.avg_pool2d(images[:].float(), 2).div(17).round().mul(17)
    return small.to(torch.uint8).numpy(), labels.numpy().astype(np.uint8)
