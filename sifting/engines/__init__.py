"""Loops that train like the reference, each cheaper somewhere; tests hold them all against it."""

from sifting import train
from sifting.engines import sparse

# name -> function(model, masks, data, config, level, start, after, progress), as train.train
ENGINES = {"reference": train.train, "sparse": sparse.train}
