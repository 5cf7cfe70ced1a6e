"""The preferred stimuli of the deeper units of a finished run: the images that drive them most."""

import numpy as np

from sifting import store
from sifting.config import Config
from sifting.data import load
from sifting.probes.units import UNITS, check_pixels, restore, top_images
from sifting.results.packing import Arrays
from sifting.store.experiment import Experiment

IMAGES = 3  # images kept for each unit


def compute(config: Config, device: str = "cpu", engine: str = "auto") -> Arrays:
    """Look up the images that drive the units of layers 2, 3, ... of the stored ticket.

    levels       : (levels,) those of History.shown
    units/LAYER  : (levels, units) the UNITS that most inputs of the network reach
    images/LAYER : uint8 (levels, units, IMAGES, channels, height, width), of the validation images those with
                   the highest preactivation
    engine       : that trained the ticket

    Source: Pellegrini & Biroli 2022, figure 15.
    """
    data = load(config, device)
    check_pixels(config, data.shape, data.classes)
    [history] = store.load_or_run("shown", [config], device, engine=engine)
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
    return record


STIMULI = Experiment.once(compute)
