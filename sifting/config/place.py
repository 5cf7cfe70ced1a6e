"""Where things lie that belong to no package: beside it in a checkout, or else where one works."""

import pathlib

PACKAGE = pathlib.Path(__file__).parents[1]


def checkout() -> pathlib.Path | None:
    """The folder of the repository that this package is a part of; None where it is installed without it."""
    above = PACKAGE.parent
    return above if (above / "chapters").is_dir() and (above / "pyproject.toml").exists() else None


def results() -> pathlib.Path:
    """Where results are stored unless somebody says otherwise."""
    above = checkout()
    return above / "book" / "results" if above else pathlib.Path("sifting-results")
