"""How fast a training step is, beside the bare matrix products and beside a plain loop: `make bench`."""

import json
import os
import platform
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import prune as torch_prune
from torch.utils.data import DataLoader, TensorDataset

from sifting import config, store
from sifting.config import Config
from sifting.data import Images, Split
from sifting.engines import replicas, sparse
from sifting.engines.stack import Splits, Stack
from sifting.models import build, prunable
from sifting.observables import locality
from sifting.train import generator, make_optimizer, step

DENSITY = 0.3  # of the masks in the steps measured; the cost of a dense step does not depend on it
DENSITIES = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003)  # of the masks that the sparse engine is measured with
SPREAD = 0.35  # sd of log10 in `uneven`: about as many dead units at 1 % as in the stored laptop runs
SIZES = {  # name -> image side, configuration, classes
    "PB network, 3072-1024-1024-1024-1000, batch 1000": (32, Config(normalize="patch"), 1000),
    "laptop preset": (config.PRESETS["laptop"].image_size, config.PRESETS["laptop"], 240),
}
STACKED = {
    "laptop preset": SIZES["laptop preset"],
    "RD network, 3072-1024-1024-1024-1000, batch 40": (32, Config(normalize="patch", batch_size=40), 1000),
}
REPLICAS = (1, 2, 4, 8)


def images(side: int, classes: int, count: int = 4000) -> Split:
    """Random images, normalized one by one: the speed does not depend on what they show."""
    draw = torch.Generator().manual_seed(0)
    pictures = torch.randint(0, 256, (count, 3, side, side), dtype=torch.uint8, generator=draw)
    return Split(Images(pictures, torch.arange(count)), torch.randint(0, classes, (count,), generator=draw))


def ours(split: Split, settings: Config, classes: int):
    """One step of the reference loop, drawing the batch included."""
    shape = split.images.shape
    model = build(settings, shape, classes, generator(settings, "weights")).train()
    optimizer, draw = make_optimizer(model, settings), generator(settings, "batches")
    parameters = dict(model.named_parameters())
    kept = [
        (parameters[name], (torch.rand(parameters[name].shape, generator=draw) < DENSITY).float())
        for name in prunable(model, settings.prune_biases)
    ]

    def run():
        index = torch.randint(len(split), (settings.batch_size,), generator=draw)
        step(model, optimizer, kept, *split.batch(index))

    return run


def stacked(split: Split, settings: Config, classes: int, count: int):
    """One step of `count` replicas at once, drawing their batches included."""
    configs = config.seeds(settings, count)
    shape = split.images.shape
    models = [build(some, shape, classes, generator(some, "weights")) for some in configs]
    draws = [generator(some, "batches") for some in configs]
    masks = [
        {
            name: torch.rand(models[0].get_parameter(name).shape, generator=draw) < DENSITY
            for name in prunable(models[0], settings.prune_biases)
        }
        for draw in draws
    ]
    step = replicas.Step(Stack(models), Splits([split] * count), masks, configs, settings.batch_size)

    def run():
        drawn = [torch.randint(len(split), (settings.batch_size,), generator=draw) for draw in draws]
        torch.stack(drawn, 1, out=step.index)
        step()

    return run


def uneven(shape: tuple[int, int], density: float, spread: float, draw: torch.Generator) -> torch.Tensor:
    """A random mask like those of magnitude pruning: log-normal in- and out-degrees, so that some units are dead.

    spread : sd of log10 of the odds of a row and of a column; 0: every weight is kept with the same odds
    """
    rows, columns = (10 ** (spread * torch.randn(size, generator=draw)) for size in shape)
    odds = torch.outer(rows, columns)
    return torch.rand(shape, generator=draw) < density * odds / odds.mean()


def pruned(engine: str, split: Split, settings: Config, classes: int, density: float, spread: float):
    """One step of the reference loop or of the sparse engine under `uneven` masks, drawing the batch included."""
    draw = torch.Generator().manual_seed(0)
    model = build(settings, split.images.shape, classes, draw).train()
    parameters = dict(model.named_parameters())
    masks = {
        name: uneven(parameters[name].shape, density, spread, draw)
        if density < 1
        else torch.ones_like(parameters[name], dtype=torch.bool)
        for name in prunable(model, biases=False)
    }
    if engine == "sparse":
        network = sparse.Network(model, masks, sparse.thresholds(model, settings.batch_size))
        optimizer = make_optimizer(network, settings)
    else:
        optimizer = make_optimizer(model, settings)
        kept = [(parameters[name], mask.float()) for name, mask in masks.items() if not mask.all()]

    def run():
        batch = split.batch(torch.randint(len(split), (settings.batch_size,), generator=draw))
        if engine == "sparse":
            network.step(*batch)
            optimizer.step()
        else:
            step(model, optimizer, kept, *batch)

    return run


def by_density(name: str, seconds: float) -> list[dict]:
    """Milliseconds a step of the reference loop and of the sparse engine at all DENSITIES, printed as measured.

    sparse : under masks as magnitude pruning makes them; uniform : with the same odds for every weight
    """
    side, settings, classes = SIZES[name]
    split, rows = images(side, classes), []
    print(f"{name}: ms a step by density, reference, sparse engine (as pruned; uniform masks)")
    for density in DENSITIES:
        made = {"reference": ("reference", SPREAD), "sparse": ("sparse", SPREAD), "uniform": ("sparse", 0.0)}
        runs = {
            kind: pruned(engine, split, settings, classes, density, spread)
            for kind, (engine, spread) in made.items()
        }
        row = {"size": name, "density": density} | measure(runs, seconds)
        row["ratio"] = round(row["reference"] / row["sparse"], 2)
        print(
            f"  {density:<6g} {row['reference']:8.1f} {row['sparse']:8.1f} {row['uniform']:8.1f}   {row['ratio']:.2f} x"
        )
        rows.append(row)
    return rows


def products(split: Split, settings: Config, classes: int):
    """The matrix products of one step and nothing else: forward, weight gradients, input gradients.

    The image needs a gradient only where a batch norm with parameters stands before the first layer.
    """
    sizes = [torch.Size(split.images.shape).numel(), *settings.widths, classes]
    inputs = [torch.randn(settings.batch_size, size) for size in sizes]
    weights = [torch.randn(b, a) for a, b in zip(sizes, sizes[1:])]

    def run():
        for n, weight in enumerate(weights):
            inputs[n] @ weight.T
            inputs[n + 1].T @ inputs[n]
            if n or settings.batch_norm == "before":
                inputs[n + 1] @ weight

    return run


def plain(split: Split, settings: Config, classes: int):
    """What one would write with the libraries alone: DataLoader, torch.nn.utils.prune, SGD."""
    sizes = [torch.Size(split.images.shape).numel(), *settings.widths, classes]
    layers = []
    for n, (a, b) in enumerate(zip(sizes, sizes[1:])):
        norm_before, norm_after = (
            settings.batch_norm == "before",
            settings.batch_norm == "after" and n < len(sizes) - 2,
        )
        layers += [nn.BatchNorm1d(a)] * norm_before + [nn.Linear(a, b)] + [nn.BatchNorm1d(b)] * norm_after
        layers += [nn.ReLU()] * (n < len(sizes) - 2)
    model = nn.Sequential(*layers)
    for layer in [layer for layer in model if isinstance(layer, nn.Linear)][:-1]:
        torch_prune.random_unstructured(layer, "weight", 1 - DENSITY)
    optimizer = torch.optim.SGD(model.parameters(), settings.lr, momentum=settings.momentum)
    x = split.batch(torch.arange(len(split)))[0]
    loader = DataLoader(TensorDataset(x, split.labels), settings.batch_size, shuffle=True, drop_last=True)

    def endless():
        while True:
            yield from loader

    stream = endless()

    def run():
        x, y = next(stream)
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()

    return run


def measure(runs: dict, seconds: float) -> dict[str, float]:
    """Median milliseconds of each function, taking turns so that a busy machine slows all alike."""
    times = {name: [] for name in runs}
    for run in runs.values():
        run()
        run()
    stop = time.perf_counter() + seconds
    while time.perf_counter() < stop or min(map(len, times.values())) < 5:
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            times[name].append(1000 * (time.perf_counter() - start))
    return {name: round(statistics.median(values), 3) for name, values in times.items()}


def together(seconds: float) -> list[dict]:
    """Milliseconds of a step of several replicas, and how many steps of single runs that is; one thread, as store computes."""
    threads, rows = torch.get_num_threads(), []
    torch.set_num_threads(1)
    for name, (side, settings, classes) in STACKED.items():
        split = images(side, classes)
        made = {"step": ours(split, settings, classes)}
        made |= {str(count): stacked(split, settings, classes, count) for count in REPLICAS}
        row = measure(made, seconds)
        ratios = {str(count): round(row[str(count)] / count / row["step"], 3) for count in REPLICAS}
        print(
            f"{name}, one thread\n  single run {row['step']:.1f} ms a step; "
            + ", ".join(
                f"{count} replicas {row[count]:.1f} ms, {ratio:.2f} x as many single runs"
                for count, ratio in ratios.items()
            )
        )
        rows.append({"size": name, "ms": row, "times_single": ratios})
    torch.set_num_threads(threads)
    return rows


def main(seconds: float = 20.0) -> dict:
    """Measure everything, print it, and keep it in book/results/bench.json."""
    rows = []
    for name, (side, settings, classes) in SIZES.items():
        split = images(side, classes)
        made = {"step": ours, "products": products, "plain": plain}
        row = measure({kind: make(split, settings, classes) for kind, make in made.items()}, seconds)
        row |= {
            "size": name,
            "share_of_products": round(row["products"] / row["step"], 3),
            "times_plain": round(row["plain"] / row["step"], 3),
        }
        print(
            f"{name}\n  our step {row['step']:.1f} ms, bare products {row['products']:.1f} ms, plain loop {row['plain']:.1f} ms: "
            f"{100 * row['share_of_products']:.0f} % of the products' rate, {row['times_plain']:.2f} x the plain loop's speed"
        )
        rows.append(row)
    mask = torch.rand(1024, 3072, generator=torch.Generator().manual_seed(0)).numpy() < 0.04
    time_locality = measure({"locality": lambda: locality(mask, (3, 32, 32))}, 3)["locality"]
    print(f"S(d) of 1,024 units at 32 x 32 x 3, exact: {time_locality:.0f} ms")
    result = {
        "rows": rows,
        "replicas": together(seconds),
        "sparse": [row for name in SIZES for row in by_density(name, seconds / 10)],
        "locality_ms": time_locality,
        "threads": torch.get_num_threads(),
        "device": store.processor(),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
    path = store.root() / "bench.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}")
    part.write_text(json.dumps(result, indent=1) + "\n")
    os.replace(part, path)
    return result


if __name__ == "__main__":
    main()
