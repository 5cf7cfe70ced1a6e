"""The preferred stimuli of the deeper units of a finished run: the images that drive them most."""

from collections.abc import Iterator

import numpy as np

from sifting import store
from sifting.config import Config
from sifting.data import load
from sifting.probes.units import UNITS, level_count, pack, restore, top_images

IMAGES = 3  # images kept for each unit

__all__ = ["find", "level_count", "pack"]


def find(
    config: Config, device: str = "cpu", finished=(), progress: bool = False, engine: str = "auto"
) -> Iterator[dict]:
    """Look up the images that drive the units of layers 2, 3, ... at the levels History.shown of the stored ticket of `config`.

    yields one record: levels (levels,); for every LAYER units/LAYER (levels, units), the UNITS that most inputs
    of the network reach, and images/LAYER uint8 (levels, units, IMAGES, channels, height, width), of the validation
    images those with the highest preactivation; and the engine that trained the ticket. Source: Pellegrini & Biroli 2022, figure 15.
    """
    if finished:
        return
    data = load(config, device)
    [history] = store.load_or_run("ticket", [config], device, engine=engine)
    record = {"levels": np.array(history.shown), "engine": np.array(history.engine)}
    models = [restore(history, level, data).to(device) for level in history.shown]
    for layer in range(2, history.layers + 1):
        reached = [history.effective(level, layer).sum(1) for level in history.shown]
        units = [np.argsort(-counts, kind="stable")[:UNITS] for counts in reached]
        images = [top_images(model, data.val, u, layer)[0] for model, u in zip(models, units)]
        record |= {
            f"units/{layer}": np.stack(units),
            f"images/{layer}": np.stack([shown[:, :IMAGES].cpu().numpy() for shown in images]),
        }
    yield record
