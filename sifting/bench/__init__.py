"""How fast everything is on one thread, for the book's page *How fast*: `make bench`."""

import dataclasses
import functools
import json
import os
import platform
from collections.abc import Sequence

import numpy as np
import torch

from sifting import config, observables, store
from sifting.bench import libraries, limits
from sifting.bench.browser import laboratory
from sifting.bench.clock import compared, measure
from sifting.bench.steps import (
    SPREAD,
    images,
    keeping,
    masks,
    plain,
    products,
    reference,
    sparsely,
    together,
    uneven,
)
from sifting.config import Config
from sifting.publish import plans
from sifting.results.masks import at
from sifting.store import expected

LAPTOP = config.PRESETS["laptop"]
SIZES = {  # name -> image side, configuration, classes
    "PB network, 3072-1024-1024-1024-1000, batch 1000": (32, Config(normalize="patch"), 1000),
    "laptop preset": (LAPTOP.image_size, LAPTOP, 240),
}
STACKED = {
    "laptop preset": SIZES["laptop preset"],
    "RD network, 3072-1024-1024-1024-1000, batch 40": (32, Config(normalize="patch", batch_size=40), 1000),
}
DENSITY = 0.3  # of the masks where it does not matter
DENSITIES, KERNEL_DENSITIES = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003), (0.3, 0.1, 0.03)
WIDTHS, WIDE_DENSITY = (128, 256, 512, 1024, 2048), 0.03  # units of each hidden layer; density of the masks
REPLICAS = (1, 2, 4, 8)
UNITS, SIDES, SIDES_DENSITIES = 1024, (8, 16, 32), (0.3, 0.03)  # of the masks that S(d) is counted in
IMAGES = 10_000  # that cavity scores are measured on
PEERS = {
    "LeNet-300-100 on 768 inputs, batch 128": (
        16,
        Config(widths=(300, 100), batch_size=128, batch_norm="none"),
        10,
    )
}
PEERS_DENSITY = 0.05


def loops(seconds: float) -> list[dict]:
    """The reference loop, the bare matrix products of its step, and a plain loop.

    share_of_products : time of the bare products over that of our step
    times_plain       : time of the plain loop over that of our step
    """
    rows = []
    for name, (side, settings, classes) in SIZES.items():
        split = images(side, classes)
        runs = {
            "reference": reference(split, settings, classes, masks(split, settings, DENSITY)),
            "products": products(split, settings, classes),
            "plain": plain(split, settings, classes, DENSITY),
        }
        row = {"size": name} | measure(runs, seconds)
        row["share_of_products"] = round(row["products"] / row["reference"], 3)
        rows.append(row | {"times_plain": round(row["plain"] / row["reference"], 3)})
    return rows


def density(seconds: float) -> list[dict]:
    """The reference loop and the sparse engine by density of the masks.

    sparse : under masks as magnitude pruning makes them; uniform : with the same odds for every weight
    """
    rows = []
    for name, (side, settings, classes) in SIZES.items():
        split = images(side, classes)
        for kept in DENSITIES:
            pruned, even = masks(split, settings, kept), masks(split, settings, kept, spread=0)
            runs = {
                "reference": reference(split, settings, classes, pruned),
                "sparse": sparsely(split, settings, classes, pruned),
                "uniform": sparsely(split, settings, classes, even),
            }
            rows.append(compared({"size": name, "density": kept} | measure(runs, seconds), "sparse"))
    return rows


def kernels(seconds: float) -> list[dict]:
    """The reference loop, the sparse engine and the engine kept, by density of the masks."""
    rows = []
    for name, (side, settings, classes) in SIZES.items():
        split = images(side, classes)
        for kept in KERNEL_DENSITIES:
            pruned = masks(split, settings, kept)
            runs = {
                "reference": reference(split, settings, classes, pruned),
                "sparse": sparsely(split, settings, classes, pruned),
                "kept": keeping(split, settings, classes, pruned),
            }
            rows.append(compared({"size": name, "density": kept} | measure(runs, seconds), "kept"))
    return rows


def roofline(seconds: float) -> list[dict]:
    """See limits.roofline."""
    return limits.roofline(SIZES, KERNEL_DENSITIES, seconds)


def peers(seconds: float) -> list[dict]:
    """See libraries.peers."""
    return libraries.peers(PEERS, PEERS_DENSITY, seconds)


def width(seconds: float) -> list[dict]:
    """The reference loop, bare products and the sparse engine, by width of the hidden layers.

    All else is as in the laptop preset.
    """
    side, settings, classes = SIZES["laptop preset"]
    split, rows = images(side, classes), []
    for units in WIDTHS:
        wide = dataclasses.replace(settings, widths=(units,) * len(settings.widths))
        pruned = masks(split, wide, WIDE_DENSITY)
        runs = {
            "reference": reference(split, wide, classes, pruned),
            "products": products(split, wide, classes),
            "sparse": sparsely(split, wide, classes, pruned),
        }
        rows.append(compared({"width": units, "density": WIDE_DENSITY} | measure(runs, seconds), "sparse"))
    return rows


def levels(seconds: float) -> list[dict]:
    """The reference loop and the sparse engine under the masks of a stored run, level by level.

    steps   : optimizer steps that the run trains at the level
    returns : the rows, none where the run is not stored
    """
    [settings] = plans.locality.imp(LAPTOP, 1)["main"]
    if not store.exists("shown", settings):
        return []
    run, rows = store.load("shown", settings), []
    classes = len(run.parameter(run.levels, f"linear.{run.layers}.bias"))
    split = images(int(run["shape"][-1]), classes)
    removed = {
        name.removeprefix("removed_at/"): torch.tensor(run[name])
        for name in run.names()
        if name.startswith("removed_at/")
    }
    for level in range(run.levels + 1):
        kept = {name: at(value, level) for name, value in removed.items()}
        runs = {
            "reference": reference(split, settings, classes, kept),
            "sparse": sparsely(split, settings, classes, kept),
        }
        steps = settings.steps - settings.rewind_step * (level > 0 and settings.retrain == "rest")
        row = {"run": run.name, "level": level, "density": round(run.density(level), 5), "steps": steps}
        rows.append(compared(row | measure(runs, seconds), "sparse"))
    return rows


def replicas(seconds: float) -> list[dict]:
    """A step of several replicas, trained together, and as many steps of single runs one after another."""
    rows = []
    for name, (side, settings, classes) in STACKED.items():
        split = images(side, classes)
        runs = {"single": reference(split, settings, classes, masks(split, settings, DENSITY))}
        runs |= {count: together(split, settings, classes, count, DENSITY) for count in REPLICAS}
        times = measure(runs, seconds)
        for count in REPLICAS:
            row = {"size": name, "replicas": count, "reference": round(count * times["single"], 3)}
            rows.append(compared(row | {"together": times[count]}, "together"))
    return rows


def locality(seconds: float) -> list[dict]:
    """Exact S(d) and localization of a layer by the side of the image and the density of the mask."""
    measured = observables.locality

    def anew(count, mask, shape):
        measured.forget()
        return count(mask, shape)

    rows, draw = [], torch.Generator().manual_seed(0)
    for side in SIDES:
        for kept in SIDES_DENSITIES:
            shape, inputs = (3, side, side), 3 * side**2
            mask = uneven((UNITS, inputs), kept, SPREAD, draw).numpy()
            counts = {"locality": measured.displacement_counts, "localization": measured.localization}
            runs = {name: functools.partial(anew, count, mask, shape) for name, count in counts.items()}
            row = {"units": UNITS, "side": side, "inputs": inputs, "density": kept}
            rows.append(row | measure(runs, seconds))
    return rows


def cavity(seconds: float) -> list[dict]:
    """Cavity scores of all weights of a dense layer, by the side of the image, in double precision.

    one_by_one : the time for one weight, whose own term is taken from the preactivation, times the number of
                 weights
    """
    rows, draw = [], np.random.default_rng(0)
    for side in SIDES:
        x, w = draw.standard_normal((IMAGES, 3 * side**2)), draw.standard_normal((UNITS, 3 * side**2))
        values = x @ w[0]
        runs = {
            "cavity": functools.partial(observables.gaussianity.cavity, x, w),
            "one_by_one": lambda: observables.gaussianity.kurtosis((values - w[0, 0] * x[:, 0])[:, None]),  # noqa: B023
        }
        times = measure(runs, seconds, least=2)
        times["one_by_one"] = round(times["one_by_one"] * w.size, 1)
        row = {"units": UNITS, "side": side, "inputs": w.shape[1], "images": IMAGES} | times
        rows.append(row | {"ratio": round(times["one_by_one"] / times["cavity"], 1)})
    return rows


# name in bench.json, and of the section of the page -> function(seconds) -> its rows; times in milliseconds
TABLES = {
    "loops": loops,
    "density": density,
    "kernels": kernels,
    "roofline": roofline,
    "peers": peers,
    "width": width,
    "levels": levels,
    "replicas": replicas,
    "locality": locality,
    "cavity": cavity,
    "laboratory": laboratory,
}
ASKED = ("peers",)  # measured where it is asked for alone, because it fetches packages


def machine() -> dict:
    """What the times depend on."""
    return {
        "device": store.processor(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "product": round(1000 * expected.product(), 3),
    }


def main(seconds: float = 1.5, only: Sequence[str] = ()) -> dict:
    """Measure everything but what is asked for by its name, print it, and keep it in book/results/bench.json.

    seconds : for each row of a table, and at least five steps of each kind
    only    : tables to measure instead; the others stay as they are, of whichever machine that is
    returns : {"machine": {...}, table: its rows}
    """
    torch.set_num_threads(1)
    path = store.root() / "bench.json"
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    here = machine()
    print(", ".join(f"{name} {value}" for name, value in here.items()))
    names = only or [name for name in TABLES if name not in ASKED]
    there = before.get("machine", here)
    same = only or there["device"] == here["device"]
    result = {"machine": there if only else here}
    result |= {name: before[name] for name in TABLES if same and name in before}
    for name in names:
        result[name] = TABLES[name](seconds)
        print(f"\n{name}, times in milliseconds", *map(_line, result[name]), sep="\n", flush=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}")
    part.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    os.replace(part, path)
    return result


def _line(row: dict) -> str:
    """A row in words, for the terminal."""
    return "  " + ", ".join(f"{name} {value}" for name, value in row.items())
