"""Every default, once; the presets of each family of networks; the identity of a result."""

from sifting.config import own, place
from sifting.config.fields import DEVICES, FIELDS, SETTINGS, Config
from sifting.config.identity import (
    apart_from,
    changed,
    check_seeds,
    dense_of,
    images_of,
    key,
    parse,
    seeds,
    unread,
    without,
)
from sifting.config.presets import FAMILIES, PRESETS, preset
from sifting.config.setting import GROUPS, Setting, choose, field

__all__ = [
    "DEVICES",
    "FAMILIES",
    "FIELDS",
    "GROUPS",
    "PRESETS",
    "SETTINGS",
    "Config",
    "Setting",
    "apart_from",
    "changed",
    "check_seeds",
    "choose",
    "dense_of",
    "field",
    "images_of",
    "key",
    "own",
    "parse",
    "place",
    "preset",
    "seeds",
    "unread",
    "without",
]
