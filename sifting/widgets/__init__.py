"""Explorers over stored results, the same live in JupyterLab and on the static page.

They need no torch.
"""

from sifting.widgets.cavity_explorer import CavityExplorer
from sifting.widgets.curve_explorer import CurveExplorer
from sifting.widgets.gain_explorer import GainExplorer
from sifting.widgets.line_explorer import LineExplorer
from sifting.widgets.mask_explorer import MaskExplorer
from sifting.widgets.similarity_explorer import SimilarityExplorer
from sifting.widgets.surface_explorer import SurfaceExplorer
from sifting.widgets.tree_explorer import TreeExplorer
from sifting.widgets.which_explorer import WhichExplorer

__all__ = [
    "CavityExplorer",
    "CurveExplorer",
    "GainExplorer",
    "LineExplorer",
    "MaskExplorer",
    "SimilarityExplorer",
    "SurfaceExplorer",
    "TreeExplorer",
    "WhichExplorer",
]
