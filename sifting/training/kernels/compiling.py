"""Where compiled code is kept for the next process.

Importing this module raises OSError where nothing can be kept: compiling takes seconds.
"""

import hashlib
import pathlib
import tempfile

import numba
from numba.core import config as settings

from sifting import cache


def folder() -> pathlib.Path:
    """A folder of sifting.cache: another one for other sources of these kernels, and for another numba."""
    sources = b"".join(file.read_bytes() for file in sorted(pathlib.Path(__file__).parent.glob("*.py")))
    digest = hashlib.sha256(sources + numba.__version__.encode()).hexdigest()[:12]
    return cache.folder() / "kernels" / digest


KEPT = folder()
KEPT.mkdir(parents=True, exist_ok=True)
tempfile.TemporaryFile(dir=KEPT).close()  # where nothing can be written, numba would say so later


def compiled(function):
    """The function, compiled when it is first called, and kept in `folder`."""
    before, settings.CACHE_DIR = settings.CACHE_DIR, str(KEPT)
    try:
        return numba.njit(function, cache=True, error_model="numpy")
    finally:
        settings.CACHE_DIR = before
