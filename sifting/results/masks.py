"""Algebra of masks: bool arrays, True = kept, of the shape of their weight; NumPy or torch alike."""

from collections.abc import Mapping

import numpy as np

NEVER = 255  # level of removal of a weight that is never removed


def at(removed_at, level: int):
    """Mask at `level` from the level at which each weight was removed (uint8; 255: never).

    Masks only shrink, so one byte a weight holds the masks of all levels.
    """
    return removed_at > level


def density(mask) -> float:
    """Fraction of weights kept, in [0, 1]."""
    return float(mask.sum()) / mask.size if isinstance(mask, np.ndarray) else float(mask.sum()) / mask.numel()


def jaccard(a, b) -> float:
    """Jaccard index |a and b| / |a or b| of two masks of one shape; 1 for two empty masks."""
    if a.shape != b.shape:
        raise ValueError(f"masks differ in shape: {tuple(a.shape)} and {tuple(b.shape)}")
    union = int((a | b).sum())
    return int((a & b).sum()) / union if union else 1.0


def alive(mask) -> float:
    """Fraction of units, in [0, 1], that keep at least one input. mask : (units, inputs)."""
    return float(mask.any(1).sum()) / mask.shape[0]


def effective(*layers: np.ndarray) -> np.ndarray:
    """Inputs that reach each unit of the last layer: mu = theta(sum_k m1_ik m2_kj - 1/2).

    layers  : masks from the first layer on, (units, inputs) each
    returns : bool, (units of the last layer, inputs of the first)

    Source: Pellegrini & Biroli 2022, section 4. Drawn by figures.maps.masks.
    """
    reach = layers[0]
    for mask in layers[1:]:
        reach = mask.astype(np.float32) @ reach.astype(np.float32) > 0.5
    return reach


def read(masks) -> dict[str, np.ndarray]:
    """Masks in any of the forms that they come in, as bool arrays by the names of their weights.

    masks   : a module: of its linear maps and convolutions, and of what else torch.nn.utils.prune has pruned,
              what that keeps, or else where the weights, as they are used, are not 0;
              a run, see history.History: those of the network that came out;
              name -> array, of NumPy or torch, of bools, or of 0 and 1 only; or one such array, named "mask"
    returns : name -> bool (units, ...), in their order; masks of biases, which have no inputs, are left out

    Raises ValueError, saying what would do, for anything else, and where a mask cannot be known.
    """
    if hasattr(masks, "named_modules"):
        found = _of_module(masks)
    elif hasattr(masks, "layer_names"):
        names = enumerate(masks.layer_names, 1)
        found = {f"{name}.weight": masks.mask(masks.outcome, layer) for layer, name in names}
    else:
        found = masks if isinstance(masks, Mapping) else {"mask": masks}
    read = {str(name): _bools(str(name), values) for name, values in found.items()}
    read = {name: mask for name, mask in read.items() if mask.ndim > 1 or not name.endswith("bias")}
    for name, mask in read.items():
        if mask.ndim < 2 or not mask.size:
            raise ValueError(f"{name} has the shape {mask.shape}; a mask of weights is (units, inputs, ...)")
    if not read:
        raise ValueError("there is no mask of any weights")
    return read


def _of_module(model) -> dict:
    """The masks of a network, of weights and of biases that are pruned."""
    from torch import nn
    from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
    from torch.nn.utils.prune import BasePruningMethod

    found, known = {}, model.state_dict(keep_vars=True)
    for place, module in model.named_modules():
        hooks = module._forward_pre_hooks.values()
        pruned = [hook._tensor_name for hook in hooks if isinstance(hook, BasePruningMethod)]
        layer = ["weight"] if isinstance(module, nn.Linear | _ConvNd) else []
        for kind in dict.fromkeys([*layer, *pruned]):
            name = f"{place}.{kind}".removeprefix(".")
            if isinstance(module, _ConvTransposeNd):
                raise ValueError(
                    f"{name} is of a transposed convolution, (inputs, units, ...): give its mask by itself, "
                    "as an array whose first two axes have changed places"
                )
            if nn.parameter.is_lazy(known.get(name)):
                raise ValueError(f"{name} is of no size yet: show the network an image first")
            mask = getattr(module, f"{kind}_mask") if kind in pruned else getattr(module, kind) != 0
            found[name] = mask
    if not found:
        raise ValueError(f"{type(model).__name__} has no linear map and no convolution")
    return found


def _bools(name: str, values) -> np.ndarray:
    """A mask as a bool array. Raises ValueError for anything but bools, 0 and 1."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        values = values.to_dense() if values.is_sparse else values
        # half precision is nothing that NumPy knows
        values = values.numpy() if str(values.dtype) != "torch.bfloat16" else values.float().numpy()
    try:
        values = np.asarray(values)
    except ValueError:
        raise ValueError(f"{name} is no mask: its rows are not of one length") from None
    if values.dtype == bool:
        return values
    if values.dtype.kind not in "iuf":
        raise ValueError(f"{name} is no mask: bools, or 0 and 1, are needed, not {values.dtype}")
    kept = values == 1
    if (kept != (values != 0)).any():
        other = values[kept != (values != 0)][0]
        raise ValueError(f"{name} is no mask, but holds {other:g}; of weights, give WEIGHTS != 0")
    return kept
