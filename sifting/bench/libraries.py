"""Loops of other libraries, for the table that `make bench peers=1` measures."""

import importlib
import logging
import subprocess
import sys
import tempfile
import time
import warnings

import torch
from torch import nn
from torch.nn import functional as F

from sifting.bench.clock import measure, several
from sifting.bench.steps import images, keeping, loader, masks, network, plain, reference
from sifting.config import Config
from sifting.data import Split
from sifting.data.archives import torchvision

# what pip installs of it: in a folder of its own, beside the torch that all loops have in common
PACKAGES = ("pytorch-lightning==2.6.6", "lightning-utilities==0.15.3", "torchmetrics==1.9.0")
FOLDER = tempfile.TemporaryDirectory(prefix="sifting-", ignore_cleanup_errors=True)
PRUNING = "pytorch_lightning.callbacks"


def peers(sizes: dict, density: float, seconds: float) -> list[dict]:
    """The engine kept and loops of other libraries on a small network.

    sizes     : name -> image side, configuration, classes; density : of the masks

    plain     : of DataLoader and torch.nn.utils.prune
    lightning : see `lightning`; left out, with a line that says why, where it cannot be had
    ratio     : time of the plain loop over that of the engine
    """
    rows = []
    for name, (side, settings, classes) in sizes.items():
        split = images(side, classes, centered=True)
        runs = {
            "reference": reference(split, settings, classes, masks(split, settings, density)),
            "plain": plain(split, settings, classes, density),
            "kept": keeping(split, settings, classes, masks(split, settings, density)),
        }
        try:
            runs["lightning"] = lightning(split, settings, classes, density)
        except ImportError as error:
            print(f"not measured: {error}", file=sys.stderr)
        runs = {name: run if name == "lightning" else several(run) for name, run in runs.items()}
        row = {"size": name, "density": density} | measure(runs, seconds)
        rows.append(row | {"ratio": round(row["plain"] / row["kept"], 3)})
    return rows


def installed():
    """The package pytorch_lightning, fetched for this process. Raises ImportError, saying why not."""
    if FOLDER.name not in sys.path:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", FOLDER.name]
        done = subprocess.run([*pip, *PACKAGES], capture_output=True, encoding="utf-8")
        if done.returncode:
            why = done.stderr.strip().splitlines() or ["it does not say why"]
            raise ImportError(f"{PACKAGES[0]} cannot be installed: {why[-1]}")
        sys.path.append(FOLDER.name)
    torchvision()  # which it imports
    importlib.import_module(PRUNING)
    return importlib.import_module("pytorch_lightning")


def lightning(split: Split, settings: Config, classes: int, density: float):
    """An epoch of Lightning's Trainer on a network that its ModelPruning has pruned.

    It returns a list: milliseconds of each step, from the end of one to the end of the next, of the
    processor's time for this thread. All that can be left out is: logger, checkpoints, bar, validation.

    Raises ImportError where the package cannot be had.
    """
    library = installed()
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)

    class Module(library.LightningModule):
        def __init__(self):
            super().__init__()
            self.network = network(split, settings, classes)

        def training_step(self, batch, number):
            x, y = batch
            return F.cross_entropy(self.network(x), y)

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), settings.lr, momentum=settings.momentum)

    class Watch(library.Callback):
        def on_train_start(self, *_):
            self.ends = []

        def on_train_batch_end(self, *_):
            self.ends.append(time.thread_time())

    module, watch, data = Module(), Watch(), loader(split, settings)
    layers = [(layer, "weight") for layer in module.network if isinstance(layer, nn.Linear)][:-1]

    def fit(prune: bool):
        how = {"use_global_unstructured": False, "apply_pruning": prune, "amount": 1 - density}
        pruning = library.callbacks.ModelPruning("random_unstructured", layers, **how)
        quiet = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that there are no workers, and no validation
            library.Trainer(
                accelerator="cpu", max_epochs=1, callbacks=[pruning, watch], **dict.fromkeys(quiet, False)
            ).fit(module, data)

    fit(True)  # it prunes at the end of an epoch

    def run():
        fit(False)
        return [1000 * (end - start) for start, end in zip(watch.ends, watch.ends[1:])]

    return run
