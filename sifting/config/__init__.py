"""Every default, once; the presets of each family of networks; the identity of a result."""

from sifting.config.fields import FIELDS, LATER, Config, apart_from, changed, choose, key, parse, seeds
from sifting.config.presets import FAMILIES, PRESETS, preset

__all__ = [
    "FAMILIES",
    "FIELDS",
    "LATER",
    "PRESETS",
    "Config",
    "apart_from",
    "changed",
    "choose",
    "key",
    "parse",
    "preset",
    "seeds",
]
