"""Numbers from masks, weights and preactivations, a module a subject.

What needs no network needs no torch.
"""

from sifting.observables import connectivity, gaussianity, locality, paths, similarity, surface

__all__ = ["connectivity", "gaussianity", "locality", "paths", "similarity", "surface"]
