"""What the figures draw and the claims check: small tables computed from stored runs; no torch."""

from sifting.tables.locality import (
    by_degree,
    difference,
    everywhere,
    group_localization,
    locality,
    localization,
    measures,
    pair_correlation,
    reach,
    slope,
    unit_widths,
)
from sifting.tables.numbers import ablation, accuracy, agreement, in_degree, probe
from sifting.tables.pictures import (
    emergence,
    features,
    masks,
    out_degree,
    random_units,
)
from sifting.tables.runs import (
    common,
    densities,
    near,
    shape,
    top_units,
    values,
)

__all__ = [
    "ablation",
    "accuracy",
    "agreement",
    "by_degree",
    "common",
    "densities",
    "difference",
    "emergence",
    "everywhere",
    "features",
    "group_localization",
    "in_degree",
    "locality",
    "localization",
    "masks",
    "measures",
    "near",
    "out_degree",
    "pair_correlation",
    "probe",
    "random_units",
    "reach",
    "shape",
    "slope",
    "top_units",
    "unit_widths",
    "values",
]
