"""The experiment: train, prune, rewind, again."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import nn

from sifting.config import Config, choose
from sifting.data import class_names, load
from sifting.masks import NEVER, alive, at
from sifting.models import BUILDERS, build, prunable
from sifting.prune import CRITERIA, prune, saliency
from sifting.train import generator, train

Arrays = dict[str, np.ndarray]


def level_count(config: Config) -> int:
    """Most levels that a run has, the dense one included."""
    return config.levels + 1


def check(config: Config) -> None:
    """Raise ValueError, naming the choices, for a dataset, labels, model or criterion that there is not."""
    class_names(config)
    choose("model", config.model, BUILDERS)
    choose("criterion", config.criterion, CRITERIA)


def find(
    config: Config, device: str = "cpu", finished: list[Arrays] = (), progress: bool = False
) -> Iterator[Arrays]:
    """Iterative magnitude pruning (or what `config` makes of it), one level after another.

    finished : the records of the levels that are done already; the run goes on after them, to the
               same bits as if it had never stopped, for each level draws from generators of its own
    yields   : for every level a record of arrays: the curves of train.train; removed_at/NAME, uint8,
               the level at which each weight was removed, by this level's pruning too;
               trained/NAME, the parameters and batch-norm statistics after training;
               and in level 0 rewind/NAME, what weights return to.

    The run ends after config.levels prunings, or when fewer than config.min_alive of the units of a
    pruned layer keep an input. Source: Pellegrini & Biroli 2022, section 3; Frankle et al. 2020.
    """
    data = load(config, device)
    model = build(config, data.shape, data.classes, generator(config, "weights")).to(device)
    parameters = dict(model.named_parameters())
    names = prunable(model, config.prune_biases)
    removed_at = {name: torch.full_like(parameters[name], NEVER, dtype=torch.uint8) for name in names}
    rewind, scores = {}, {}
    if finished:
        removed_at = _tensors(finished[-1], "removed_at", device)
        rewind = _tensors(finished[0], "rewind", device)
        if not config.iterative:
            rewind_(model, _tensors(finished[0], "trained", device))
            scores = saliency(config.criterion, model, removed_at, data.train, generator(config, "pruning"))

    def remember():
        rewind.update({name: value.detach().clone() for name, value in parameters.items()})

    for level in range(len(finished), config.levels + 1):
        masks = {name: at(levels, level) for name, levels in removed_at.items()}
        if level:
            if min(alive(mask) for mask in masks.values() if mask.ndim == 2) < config.min_alive:
                return
            rewind_(model, rewind)
        start = config.rewind_step if level and config.retrain == "rest" else 0
        after = {} if level else {config.rewind_step: remember}
        curves = train(model, masks, data, config, level, start, after, progress)
        if level == 0 or config.iterative:
            scores = saliency(config.criterion, model, masks, data.train, generator(config, "pruning", level))
        if level < config.levels:
            for name, mask in prune(masks, scores, config.prune_fraction, config.scope).items():
                removed_at[name][masks[name] & ~mask] = level + 1
        yield (
            {name: np.asarray(curve, np.float32) for name, curve in curves.items()}
            | _arrays("removed_at", removed_at)
            | _arrays("trained", model.state_dict())
            | (_arrays("rewind", rewind) | {"shape": np.array(data.shape)} if level == 0 else {})
        )


def rewind_(model: nn.Module, values: dict[str, torch.Tensor]) -> None:
    """Set the parameters of `model` to `values`, in place; batch-norm statistics start afresh."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(values[name])
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.reset_running_stats()


def pack(records: list[Arrays], config: Config) -> Arrays:
    """The records of all levels of a run as the arrays that are kept of it; history.History reads them.

    removed_at/NAME        : uint8, level at which each weight was removed; 255: never
    rewind/NAME            : float32, what weights return to
    trained/LEVEL/NAME     : float16, trained values; of pruned parameters only what is kept, flat
    train_loss, ...        : (levels, evaluations)
    shape                  : (channels, height, width) of the images
    """
    last = len(records) - 1
    removed_at = {name: value for name, value in records[-1].items() if name.startswith("removed_at/")}
    packed = {
        name: np.where(value > last, NEVER, value).astype(np.uint8) for name, value in removed_at.items()
    }
    packed |= {name: value for name, value in records[0].items() if name.startswith("rewind/")}
    for level, record in enumerate(records):
        for name, value in record.items():
            kind, _, parameter = name.partition("/")
            if kind == "trained" and value.ndim:
                mask = removed_at.get(f"removed_at/{parameter}")
                packed[f"trained/{level}/{parameter}"] = (
                    value if mask is None else value[mask > level]
                ).astype(np.float16)
    curves = [name for name in records[-1] if "/" not in name and name != "shape"]
    return (
        packed
        | {"shape": records[0]["shape"]}
        | {
            name: np.stack([_padded(record[name], config.evaluations) for record in records])
            for name in curves
        }
    )


def pack_masks(records: list[Arrays], config: Config) -> Arrays:
    """What `pack` keeps, without any weights: enough for every observable of masks and accuracies."""
    packed = pack(records, config)
    return {name: value for name, value in packed.items() if not name.startswith(("trained/", "rewind/"))}


def _padded(curve: np.ndarray, length: int) -> np.ndarray:
    """A curve that started late (retrain "rest"), with nan for what it missed."""
    return np.concatenate([np.full(max(0, length - len(curve)), np.nan, np.float32), curve])


def _arrays(prefix: str, tensors: dict[str, torch.Tensor]) -> Arrays:
    return {f"{prefix}/{name}": tensor.detach().cpu().numpy().copy() for name, tensor in tensors.items()}


def _tensors(record: Arrays, prefix: str, device: str) -> dict[str, torch.Tensor]:
    named = [
        (name.removeprefix(prefix + "/"), value)
        for name, value in record.items()
        if name.startswith(prefix + "/")
    ]
    return {name: torch.from_numpy(value.copy()).to(device) for name, value in named}
