"""What the figures draw and the claims check: small tables computed from stored runs; no torch."""

from sifting.tables.numbers import (
    ablation,
    accuracy,
    agreement,
    difference,
    everywhere,
    in_degree,
    locality,
    localization,
    measures,
    pair_correlation,
    probe,
    reach,
)
from sifting.tables.pictures import (
    by_degree,
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
    "top_units",
    "values",
]
