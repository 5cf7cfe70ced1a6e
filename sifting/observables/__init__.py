"""Numbers from masks, weights and preactivations. What needs no network needs no torch."""

from sifting.observables.connectivity import binomial, degree_excess, in_degree, jackknife, out_degree, rewire
from sifting.observables.gaussianity import GAUSSIAN, by_removal, cavity, kurtosis, matched
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
from sifting.observables.paths import chance_jaccard, used
from sifting.observables.similarity import center_distance, fed_together, form_similarity, overlap, radius
from sifting.observables.surface import barrier

__all__ = [
    "GAUSSIAN",
    "axis_excess",
    "barrier",
    "binomial",
    "by_removal",
    "cavity",
    "center_distance",
    "chance_jaccard",
    "degree_excess",
    "displacements",
    "enrichment",
    "fed_together",
    "form_similarity",
    "in_degree",
    "jackknife",
    "kurtosis",
    "locality",
    "localization",
    "matched",
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
    "used",
]
