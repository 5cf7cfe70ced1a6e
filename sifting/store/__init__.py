"""Results on disk: found by content, written whole or not at all, resumable, with how they were made."""

from sifting.store.devices import processor
from sifting.store.experiment import EXPERIMENTS
from sifting.store.files import exists, is_name, load, named, path, root, save
from sifting.store.levels import advance
from sifting.store.schedule import check, load_or_run

__all__ = [
    "EXPERIMENTS",
    "advance",
    "check",
    "exists",
    "is_name",
    "load",
    "load_or_run",
    "named",
    "path",
    "processor",
    "root",
    "save",
]
