"""Algebra of masks: bool arrays, True = kept, of the shape of their weight; NumPy or torch alike."""

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
