"""Where things lie that belong to no package: beside it in a checkout, or else where one works."""

import functools
import os
import pathlib

TRIALS = "trials"  # folder in that of the results, for those of trials
PACKAGE = pathlib.Path(__file__).parents[1]


@functools.cache
def checkout() -> pathlib.Path | None:
    """The folder of the repository that this package is a part of; None where it is installed without it."""
    above = PACKAGE.parent
    return above if (above / "chapters").is_dir() and (above / "pyproject.toml").exists() else None


def root() -> pathlib.Path:
    """The folder of stored results: $SIFTING_RESULTS, book/results of the repository, or sifting-results."""
    above = checkout()
    default = above / "book" / "results" if above else pathlib.Path("sifting-results")
    return pathlib.Path(os.environ.get("SIFTING_RESULTS") or default).resolve()


def of_the_book() -> pathlib.Path:
    """The folder of the book's own results, also where `root` is that of trials."""
    return root().parent if root().name == TRIALS else root()
