"""Explorers over stored results, the same live in JupyterLab and on the static page.

They need no torch.
"""

from sifting.widgets.cavity_explorer import CavityExplorer
from sifting.widgets.mask_explorer import MaskExplorer
from sifting.widgets.similarity_explorer import SimilarityExplorer
from sifting.widgets.surface_explorer import SurfaceExplorer
from sifting.widgets.tree_explorer import TreeExplorer

__all__ = ["CavityExplorer", "MaskExplorer", "SimilarityExplorer", "SurfaceExplorer", "TreeExplorer"]
