"""Numbers from masks, weights and preactivations, a module a subject.

What needs no network needs no torch.
"""

from sifting.observables import connectivity, fitting, gaussianity, locality, paths, similarity, surface

__all__ = ["connectivity", "fitting", "gaussianity", "locality", "paths", "similarity", "surface"]
