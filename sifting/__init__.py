"""Sifting: what iterative magnitude pruning makes of a network, as an executable book, and as a library.

For a network and images of one's own, see the page *With your own network*. A name is imported when it is
asked for: `import sifting` needs no torch.
"""

import pkgutil

__version__ = "0.1.0"
FROM = {  # name -> the module that it comes from
    "measure": "sifting.own.measuring",
    "examine": "sifting.own.examining",
    "networks": "sifting.own.between",
    "find": "sifting.own.finding",
    "restore": "sifting.own.finding",
    "register": "sifting.own.registering",
    "MaskExplorer": "sifting.widgets",
    "SurfaceExplorer": "sifting.widgets",
}
__all__ = ["__version__", *FROM]


def __getattr__(name: str):
    if name not in FROM:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(FROM)}")
    return pkgutil.resolve_name(f"{FROM[name]}:{name}")


def __dir__() -> list[str]:
    return sorted([*globals(), *FROM])
