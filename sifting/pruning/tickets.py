"""The experiment: train, prune, rewind, again."""

import contextlib
from collections.abc import Iterator

import torch
from torch import nn

from sifting import cache, data
from sifting.config import Config, choose, dense_of, images_of, key, own, unread
from sifting.data import class_names, load
from sifting.pruning.criteria import CRITERIA, SCHEMES, check_criterion
from sifting.pruning.prunable import prunable, unpruned
from sifting.pruning.run import Ready, Run
from sifting.results.packing import Arrays
from sifting.training import engines, replicas
from sifting.training.models import BUILDERS, build
from sifting.training.reference import generator


def level_count(config: Config) -> int:
    """Most levels that a run has, the dense one included."""
    return config.levels + 1


def check(config: Config, engine: str = "auto") -> None:
    """Raise ValueError, naming the choices, for a run that there cannot be.

    It has an unknown dataset, labels, model, criterion or engine; a criterion or an engine that is not for
    its model; a field that has no effect on its model or dataset; or it asks for its last level, and may
    end before.
    """
    engines.resolve(engine, config)
    class_names(config)
    if not own.is_own(config.model):
        choose("model", config.model, (*BUILDERS, own.CODE))
    choose("criterion", config.criterion, CRITERIA | SCHEMES)
    models = CRITERIA[config.criterion].models if config.criterion in CRITERIA else BUILDERS
    if config.model not in models and not own.is_own(config.model):
        raise ValueError(f"criterion {config.criterion} is for model {', '.join(models)}, not {config.model}")
    for field, reason in unread(config).items():
        raise ValueError(f"{field} has no effect on {reason}")
    if config.probed == "last" and config.min_alive:
        raise ValueError(
            "min_alive must be 0 where the last level alone is measured (probed=last), "
            f"not {config.min_alive}: a run may end before it"
        )


def check_images(configs: list[Config]) -> None:
    """Look for the images of all runs, see data.check, before any of them is begun.

    A network of one's own is made for them, too. Raises ValueError where it is not for such images, or for
    the criterion.
    """
    for images in dict.fromkeys(map(images_of, configs)):
        data.check(images)
    networks = {}
    for config in configs:
        if own.is_own(config.model):
            networks[config.model, config.criterion, config.treatment, images_of(config)] = config
    for config in networks.values():
        _check_network(config)


def _check_network(config: Config) -> None:
    """Raise ValueError for a network of one's own that the run cannot have."""
    if config.treatment == "reinit" and isinstance(own.fetch(config.model), nn.Module):
        raise ValueError("treatment reinit needs a class or a function that makes networks, not a network")
    images = load(config)
    model = build(config, images.shape, images.classes, generator(config, "weights"))
    if left := unpruned(model):
        raise ValueError(
            f"{', '.join(left)} would never be pruned: networks are needed whose weights are those of linear "
            "maps and 2d convolutions"
        )
    names = prunable(model, config.prune_biases, config.prune_head)
    if not names:
        raise ValueError(
            f"{config.model} has nothing to prune: a layer is needed before the last, or prune_head=true"
        )
    check_criterion(config.criterion, model, names)


def find(
    config: Config,
    device: str = "cpu",
    finished: list[Arrays] = (),
    progress: bool = False,
    engine: str = "auto",
) -> Iterator[Arrays]:
    """Iterative magnitude pruning (or what `config` makes of it), one level after another.

    finished : the records of the levels that are done already; the run goes on after them, to the
               same bits as if it had never stopped, for each level draws from generators of its own
    engine   : what trains, see engines.settle; a run goes on with the engine that it began with
    yields   : for every level its record, see Run.conclude

    The run ends after config.levels prunings, when fewer than config.min_alive of the units of a
    pruned layer keep an input, when a weight is no number any more, or when config.layerwise layers have been
    pruned in turn (Run._take_back).
    Source: Pellegrini & Biroli 2022, section 3; Frankle et al. 2020.
    """
    run = Run(config, load(config, device), device, finished, engine)
    while ready := run.prepare():
        yield run.conclude(trained(run, ready, progress))


def whole(config: Config, device: str, progress: bool, engine: str) -> list[Arrays]:
    """All records of `find`: once for those that ask side by side, see cache.once."""
    name = f"{key(config)}-whole-{engine}-{device}"
    return cache.once(name, lambda: list(find(config, device, (), progress, engine)))


def trained(run: Run, ready: Ready, progress: bool) -> dict[str, list[float]]:
    """The curves of training a level.

    Runs that begin alike train their dense network once, see cache.once.
    """

    def learn(config):
        with _drawing(config, run.level, next(run.model.parameters()).device):
            return run.engine.train(run.model, ready.masks, run.data, config, run.level, *ready[1:], progress)

    if run.level > 0:
        return learn(run.training)
    dense = dense_of(run.config)
    name = f"{key(dense)}-{run.engine}-{next(run.model.parameters()).device}"
    return run.take_over(*cache.once(name, lambda: run.hand_over(learn(dense))))


@contextlib.contextmanager
def _drawing(config: Config, level: int, device: torch.device):
    """What a network of one's own draws, as dropout does, is the same whenever a level is trained."""
    if not own.is_own(config.model):
        yield
        return
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(generator(config, "network", level).initial_seed())
        yield


def find_together(
    configs: list[Config],
    device: str = "cpu",
    finished: list[list[Arrays]] = (),
    progress: bool = False,
    size: int = 0,
) -> Iterator[list[Arrays | None]]:
    """`find` of several runs at once: the engine replicas trains all networks of a level together.

    finished : for every run the records that it has; the runs that are furthest behind go first
    size     : of the stack, where runs begin: their number, if that is larger. A run that goes on keeps its
               own
    yields   : for every run its next record, or None where it has ended or waits for the others

    Up to rounding, the records are those of `find`; to the bit, those in any other stack of that size.
    Raises ValueError for runs that do not stack.
    """
    replicas.stackable(configs)
    seen = {}  # images and labels that runs have in common are loaded once
    for config in configs:
        if (same := images_of(config)) not in seen:
            seen[same] = load(config, device)
    finished = finished or [()] * len(configs)
    engine = f"replicas {max(size, len(configs))}"
    runs = [
        Run(config, seen[images_of(config)], device, done, engine) for config, done in zip(configs, finished)
    ]
    if odd := {str(run.engine) for run in runs if not run.engine.together}:
        raise ValueError(f"runs that began with the engine {', '.join(sorted(odd))} do not go on together")
    active = list(runs)
    while active:
        level = min(run.level for run in active)
        due = {run: run.prepare() for run in active if run.level == level}
        active = [run for run in active if due.get(run, True)]
        due = {run: ready for run, ready in due.items() if ready}
        if not due:
            continue
        [start] = {ready.start for ready in due.values()}
        curves = replicas.train(
            [run.model for run in due],
            [ready.masks for ready in due.values()],
            [run.data for run in due],
            [run.training for run in due],
            level,
            start,
            [ready.after for ready in due.values()],
            progress,
            max(run.engine.numbers[0] for run in due),
        )
        records = {run: run.conclude(curve) for run, curve in zip(due, curves)}
        yield [records.get(run) for run in runs]


def teams(
    configs: list[Config], engine: str = "auto", device: str = "cpu", most: int = 8
) -> list[list[Config]]:
    """`configs` in groups of at most `most` that `find_together` takes, others by themselves."""
    groups = {}
    for config in configs:
        groups.setdefault(_team(config, engine, device), []).append(config)
    return [group[n : n + most] for group in groups.values() for n in range(0, len(group), most)]


def _team(config: Config, engine: str, device: str):
    """What runs have in common that are best trained together."""
    if not engines.resolve(engine, config, device).together:
        return config
    # few images make small batches, and batches are of one size
    images = None if config.replacement else (config.fraction, config.train_images)
    return replicas.alike(config), images
