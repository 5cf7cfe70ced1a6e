"""Networks and images of one's own: names that say what is in them, so that results are found by it.

    MODULE:NAME@DIGEST   a class or function in a file, which makes networks
    folder:PATH@DIGEST   a folder of images
    NAME@DIGEST          what was registered, and lies among the results, in the folder KEPT

The digest is of the content: of the code of the module and of all that it imports from beside it, of the
images. A name without it gets it when a Config is made; one whose content is another since then is refused.
"""

import ast
import contextlib
import functools
import hashlib
import importlib
import importlib.util
import os
import pathlib
import re
import sys
import sysconfig
from importlib import metadata
from typing import Any

from sifting.config import place

FOLDER = "folder:"
CODE = "MODULE:NAME"
FORMS = {"network": CODE, "images": f"{FOLDER}PATH"}  # what is one's own -> how it is written
KEPT = ".registered"  # in the folder of results, which all who compute can see
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
INSTALLED = tuple({sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib")})
_STAMPED = re.compile(r"(.+)@([0-9a-f]{12})")
_fresh = {}  # module -> its digest, and the module as it was imported here


def is_own(name: str) -> bool:
    """Whether a name is of this kind, with its digest."""
    return _STAMPED.fullmatch(name) is not None


def stamp(name: str, folder: bool = False) -> str:
    """A name with the digest of what it is of; what is not of this kind stays as it is.

    folder : whether it is of images, so that folder:PATH is meant, or else MODULE:NAME

    Raises ValueError where there is no such folder or file.
    """
    if ":" not in name or is_own(name):
        return name
    if folder and name.startswith(FOLDER):
        path = pathlib.Path(name.removeprefix(FOLDER)).expanduser().absolute()
        return f"{FOLDER}{path}@{digest_of(path)}"
    module, _, inside = name.partition(":")
    if folder or not all(part.isidentifier() for part in (*module.split("."), *inside.split("."))):
        form = FORMS["images"] if folder else f"{CODE}, as mynets:MyNet"
        raise ValueError(f"cannot read {name!r}; one's own is written as {form}")
    return f"{name}@{_hashed(sources(module))}"


def fetch(name: str) -> Any:
    """What a name of code, or of something registered, stands for.

    Raises ValueError where there is none, and where the code is another than that of the name.
    """
    text, digest = _STAMPED.fullmatch(name).groups()
    if ":" not in text:
        import pickle

        return pickle.loads(kept(name, ".pkl").read_bytes())
    module, _, inside = text.partition(":")
    if stamp(text) != name:
        raise ValueError(f"the code of {text} is another than when this began; give model={text} anew")
    found = _imported(module, digest)
    for part in inside.split("."):
        if not hasattr(found, part):
            there = ", ".join(sorted(key for key in vars(found) if not key.startswith("_")))
            raise ValueError(f"{module} has no {inside}; it has {there}")
        found = getattr(found, part)
    return found


def kept(name: str, ending: str) -> pathlib.Path:
    """The file of what was registered, in the folder of results, or, for trials, in that of the book.

    Raises ValueError where there is none.
    """
    root = place.root()
    for folder in [root, root.parent] if root.name == place.TRIALS else [root]:
        if (file := folder / KEPT / f"{name}{ending}").exists():
            return file
    raise ValueError(f"{name} is not registered in {root}; call sifting.register with it again")


def keep(name: str, ending: str, content: bytes) -> None:
    """Write what is registered, where who computes finds it."""
    file = place.root() / KEPT / f"{name}{ending}"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_name(f".{name}.{os.getpid()}")
        part.write_bytes(content)
        part.replace(file)


# --- images


def pictures(path: pathlib.Path) -> list[pathlib.Path]:
    """The images in a folder and in the folders in it, in the order of their names."""
    found = (file for file in path.rglob("*") if file.suffix.lower() in PICTURES)
    return sorted(file for file in found if not any(part[0] == "." for part in file.relative_to(path).parts))


def digest_of(path: pathlib.Path) -> str:
    """Of the images in a folder, their names included. Raises ValueError where there are none."""
    if not path.is_dir():
        raise ValueError(f"dataset {FOLDER}{path}: there is no such folder")
    files = pictures(path)
    if not files:
        raise ValueError(f"dataset {FOLDER}{path}: there are no images in it, {', '.join(PICTURES)}")
    return _digest_of(path, tuple((file, *_state(file)) for file in files))


def digest_of_arrays(arrays: dict) -> str:
    """Of arrays of NumPy by their names: of their values, types and shapes."""
    return _hashed({f"{name} {a.dtype} {a.shape}": a.tobytes() for name, a in arrays.items()})


def _state(file: pathlib.Path) -> tuple[int, int]:
    state = file.stat()
    return state.st_mtime_ns, state.st_size


@functools.lru_cache(maxsize=8)
def _digest_of(path: pathlib.Path, files: tuple) -> str:
    return _hashed({str(file.relative_to(path)): file.read_bytes() for file, *_ in files})


def _hashed(parts: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name in sorted(parts):
        digest.update(hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest())
        digest.update(hashlib.sha256(parts[name]).digest())
    return digest.hexdigest()[:12]


# --- code


def sources(module: str) -> dict[str, bytes]:
    """The source of a module, and of all that it imports from beside it: file -> content.

    Beside it is what lies in the same folder, or in that of its package. Of an installed package there are
    the module and its version. Nothing is imported.
    Raises ValueError for a module that is not found, or has no source.
    """
    top, here = module.partition(".")[0], home(module)
    found, waiting, installed = {}, [module], is_installed(module)
    if installed:  # its version says what else is in it
        with contextlib.suppress(metadata.PackageNotFoundError):
            found["version"] = metadata.version(top).encode()
    while waiting:
        name = waiting.pop()
        first = name.partition(".")[0]
        files = _files(here, name) if first != "sifting" or name == module else []
        if name == module and not files:
            raise ValueError(f"no module {module} with a source is found in {here}")
        for file in files:
            key = str(file.relative_to(here))
            if key not in found:
                found[key] = file.read_bytes()
                waiting += [] if installed else _named(file, *_state(file), key)
    return found


def home(module: str) -> pathlib.Path:
    """The folder that a module's package, or its file, lies in; nothing is imported."""
    top = module.partition(".")[0]
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        spec = None
    if spec is None or not (spec.submodule_search_locations or str(spec.origin).endswith(".py")):
        raise ValueError(
            f"no module {top} with a source is found; its folder is to be on Python's path: PYTHONPATH=FOLDER"
        )
    return pathlib.Path([*(spec.submodule_search_locations or []), spec.origin][0]).parent


def is_installed(module: str) -> bool:
    """Whether a module is one of Python's, or of an installed package."""
    return str(home(module)).startswith(INSTALLED)


def _files(folder: pathlib.Path, name: str) -> list[pathlib.Path]:
    """The files that importing a module runs, its packages first; none where there is no such module."""
    parts = name.split(".")
    files = [folder.joinpath(*parts[:size], "__init__.py") for size in range(1, len(parts) + 1)]
    last = folder.joinpath(*parts).with_suffix(".py")
    if not (files[-1].exists() or last.exists()):
        return []
    return [file for file in [*files, last] if file.exists()]


@functools.lru_cache(maxsize=1000)
def _named(file: pathlib.Path, changed: int, size: int, key: str) -> tuple[str, ...]:
    """The modules that a file may import, by their full names."""
    package = pathlib.PurePath(key).parent.parts
    try:
        tree = ast.parse(file.read_bytes())
    except SyntaxError as error:
        raise ValueError(f"{file}, line {error.lineno}: {error.msg}") from None
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            inside = package[: len(package) - node.level + 1] if node.level else ()
            start = ".".join([*inside, *filter(None, [node.module])])
            found += [start, *(f"{start}.{alias.name}".lstrip(".") for alias in node.names)]
    return tuple(name for name in dict.fromkeys(found) if name and "*" not in name)


def _imported(module: str, digest: str):
    """A module as its source is now, whatever of it was imported before it was changed."""
    if module in _fresh and _fresh[module][0] == digest:
        return _fresh[module][1]
    here = home(module)
    files = {str(here / key) for key in sources(module)}
    mine = {name: some for name, some in sys.modules.items() if getattr(some, "__file__", "") in files}
    for name in mine if not str(here).startswith(INSTALLED) else ():
        del sys.modules[name]
    importlib.invalidate_caches()
    try:
        found = importlib.import_module(module)
    except Exception as error:
        raise ValueError(f"{module} cannot be imported: {type(error).__name__}: {error}") from error
    finally:
        sys.modules.update(mine)  # who has them keeps them
    _fresh[module] = digest, found
    return found
