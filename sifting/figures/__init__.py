"""One table in, one figure out. No statistics, no torch. Importing this sets the house style of matplotlib."""

import matplotlib

from sifting.figures.curves import (
    ablation,
    accuracy,
    compare,
    gains,
    in_degree,
    learning,
    localization,
    pair_correlation,
)
from sifting.figures.gaussianity import by_inputs, cavity, components, dial, histograms, pictures, strips
from sifting.figures.hierarchy import composition, feeding, growth, tree, turns
from sifting.figures.maps import (
    by_degree,
    displacement,
    emergence,
    features,
    locality,
    masks,
    out_degree,
    portraits,
    random_units,
    same_units,
    samples,
    weights,
)
from sifting.figures.methods import evolution, filters, kernels, matrices, panels, stability
from sifting.figures.speed import cost
from sifting.figures.style import STYLE
from sifting.figures.surface import between, leaving, planes
from sifting.figures.utility import bars, scatter, spectra, taken_out

matplotlib.rcParams.update(STYLE)
