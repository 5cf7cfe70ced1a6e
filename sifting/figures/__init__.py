"""One stored table in, one picture out; a module a form or a subject.

Drawing needs nothing but matplotlib.
"""

import matplotlib

from sifting.figures import (
    curves,
    gaussianity,
    hierarchy,
    locality,
    maps,
    methods,
    multiverse,
    speed,
    surface,
    utility,
)
from sifting.figures.style import STYLE

matplotlib.rcParams.update(STYLE)

__all__ = [
    "curves",
    "gaussianity",
    "hierarchy",
    "locality",
    "maps",
    "methods",
    "multiverse",
    "speed",
    "surface",
    "utility",
]
