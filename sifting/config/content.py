"""What is in a class, a function or a network, where no file says so: as in a notebook.

Equal content has the same digest in every session: it is of the code, of what that refers to, and of values.
"""

import hashlib
import importlib
import types
from collections.abc import Iterator
from typing import Any

from sifting.config import own

HERE = ("__main__", "__mp_main__")  # modules that no other process can import
# of a class: what is of its place, not of its content
HIDDEN = ("__dict__", "__weakref__", "__module__", "__doc__")


def digest(thing: Any) -> str:
    """Twelve hexadecimal digits that name the content of a class, a function, a module of torch, a value."""
    found = hashlib.sha256()
    for part in _parts(thing, set()):
        found.update(hashlib.sha256(part.encode("utf-8", "surrogateescape")).digest())
    return found.hexdigest()[:12]


def place_of(thing: Any) -> str | None:
    """MODULE:NAME of a class or function that can be imported by it from a file; None of anything else."""
    module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    if not isinstance(thing, type | types.FunctionType) or module in HERE or "<" in name:
        return None
    try:
        found = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
        own.home(module)
    except (AttributeError, ImportError, ValueError):
        return None
    return f"{module}:{name}" if found is thing else None


def _parts(thing: Any, seen: set) -> Iterator[str]:
    """What a thing is made of, in an order that does not depend on the session."""
    if isinstance(thing, type | types.FunctionType):
        if id(thing) not in seen:
            seen.add(id(thing))
            yield from _code(thing, seen)
    elif isinstance(thing, types.ModuleType):
        yield f"module {thing.__name__}"
    elif hasattr(thing, "detach"):
        yield from _parts(thing.detach().cpu().numpy(), seen)
    elif hasattr(thing, "tobytes"):
        yield f"array {thing.dtype} {thing.shape} {hashlib.sha256(thing.tobytes()).hexdigest()}"
    elif hasattr(thing, "named_modules"):
        yield f"network {thing!r}"
        yield from _parts(dict(thing.state_dict()), seen)
        yield from _parts([type(module) for module in thing.modules()], seen)
    elif isinstance(thing, classmethod | staticmethod | types.MethodType):
        yield from _parts([thing.__func__, getattr(thing, "__self__", None)], seen)
    elif isinstance(thing, property):
        yield from _parts([thing.fget, thing.fset, thing.fdel], seen)
    elif isinstance(thing, dict):
        yield from _parts([part for item in thing.items() for part in item], seen)
    elif isinstance(thing, list | tuple):
        yield f"{type(thing).__name__} {len(thing)}"
        for value in thing:
            yield from _parts(value, seen)
    elif isinstance(thing, set | frozenset):
        yield f"set {sorted(map(repr, thing))}"
    elif type(thing).__repr__ is object.__repr__:  # which says where in memory it lies
        yield from _parts([type(thing), getattr(thing, "__dict__", {})], seen)
    else:
        yield f"{type(thing).__name__} {thing!r}"


def _code(thing: type | types.FunctionType, seen: set) -> Iterator[str]:
    """Of a class or a function: what its file has, or else its own code and all that this refers to."""
    module = thing.__module__ if thing.__module__ not in HERE else ""
    yield f"{type(thing).__name__} {module} {thing.__qualname__}"
    place = place_of(thing)
    if place and not own.is_installed(thing.__module__):
        yield own.stamp(place)
    elif isinstance(thing, types.FunctionType):
        yield from _compiled(thing.__code__)
        yield from _parts([thing.__defaults__, thing.__kwdefaults__], seen)
        yield from _parts([cell.cell_contents for cell in thing.__closure__ or ()], seen)
        names = [name for name in _names(thing.__code__) if name in thing.__globals__]
        yield from _parts({name: thing.__globals__[name] for name in names}, seen)
    elif not place and thing.__module__ != "builtins":
        yield from _parts(list(thing.__bases__), seen)
        yield from _parts({name: value for name, value in vars(thing).items() if name not in HIDDEN}, seen)


def _compiled(code: types.CodeType) -> Iterator[str]:
    yield repr([code.co_code, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars])
    for value in code.co_consts:
        if isinstance(value, types.CodeType):
            yield from _compiled(value)
        else:
            yield repr(sorted(map(repr, value)) if isinstance(value, frozenset) else value)


def _names(code: types.CodeType) -> list[str]:
    """The global names that a function, and the functions in it, may refer to."""
    inside = (name for part in code.co_consts if isinstance(part, types.CodeType) for name in _names(part))
    return list(dict.fromkeys([*code.co_names, *inside]))
