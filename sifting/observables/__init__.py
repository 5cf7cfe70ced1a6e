"""Numbers from masks, weights and preactivations. What needs no network needs no torch."""

from sifting.observables.connectivity import (
    binomial,
    degree_excess,
    in_degree,
    jackknife,
    out_degree,
    rewire,
)
from sifting.observables.locality import (
    axis_excess,
    displacements,
    enrichment,
    locality,
    localization,
    null_locality,
    pair_correlation,
    random_mask,
    rf_moment,
    rf_width,
)

__all__ = [
    "axis_excess",
    "binomial",
    "degree_excess",
    "displacements",
    "enrichment",
    "in_degree",
    "jackknife",
    "locality",
    "localization",
    "null_locality",
    "out_degree",
    "pair_correlation",
    "random_mask",
    "rewire",
    "rf_moment",
    "rf_width",
]
