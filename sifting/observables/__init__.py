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
    orientation,
    pair_correlation,
    random_mask,
    rf_moment,
    rf_width,
)
from sifting.observables.similarity import center_distance, fed_together, form_similarity, overlap, radius

__all__ = [
    "axis_excess",
    "binomial",
    "center_distance",
    "degree_excess",
    "displacements",
    "enrichment",
    "fed_together",
    "form_similarity",
    "in_degree",
    "jackknife",
    "locality",
    "localization",
    "null_locality",
    "orientation",
    "out_degree",
    "overlap",
    "pair_correlation",
    "radius",
    "random_mask",
    "rewire",
    "rf_moment",
    "rf_width",
]
