"""Explorers over stored results: the same widget live in JupyterLab and in the static page; no torch."""

from sifting.widgets.cavity_explorer import CavityExplorer
from sifting.widgets.mask_explorer import MaskExplorer
from sifting.widgets.similarity_explorer import SimilarityExplorer
from sifting.widgets.surface_explorer import SurfaceExplorer
from sifting.widgets.tree_explorer import TreeExplorer

__all__ = ["CavityExplorer", "MaskExplorer", "SimilarityExplorer", "SurfaceExplorer", "TreeExplorer"]
