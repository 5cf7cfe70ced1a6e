"""The plan of the package by its text alone: rooms, what each is for, which imports which."""

import ast
import functools
import graphlib
import pathlib

PACKAGE = pathlib.Path(__file__).parents[1]
# The rooms, in the order in which data flows: a room imports only rooms before it.
ROOMS = (
    "config", "cache", "data", "results", "observables", "training", "pruning", "store", "probes",
    "tables", "figures", "widgets", "own", "publish", "bench",
)  # fmt: skip


def room_of(path: pathlib.Path) -> str:
    """The room that a file belongs to: its module, or its package under sifting/."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def modules(room: str) -> list[pathlib.Path]:
    """The files of a room: one module, or those of a package."""
    folder = PACKAGE / room
    if folder.is_dir():
        return sorted(folder.rglob("*.py"))
    return [path for path in [PACKAGE / f"{room}.py"] if path.exists()]


def purpose(room: str) -> str:
    """What a room says of itself: the first sentence of its docstring."""
    first = next((path for path in modules(room) if path.stem == "__init__"), modules(room)[0])
    text = ast.get_docstring(ast.parse(first.read_text(encoding="utf-8"))) or ""
    return " ".join(text.partition("\n\n")[0].split())


@functools.cache
def imports(path: pathlib.Path, inside: bool = True) -> frozenset[str]:
    """Modules that a file imports; inside : those that its functions import when they are called, too."""
    tree, found = ast.parse(path.read_text(encoding="utf-8")), set()
    for node in ast.walk(tree) if inside else tree.body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def imported(path: pathlib.Path) -> set[str]:
    """Rooms that a file imports, its own among them."""
    return {name.split(".")[1] for name in imports(path) if name.startswith("sifting.")} & {*ROOMS}


def arrows() -> set[tuple[str, str]]:
    """(room, room that it imports), of all rooms."""
    found = {(room, other) for room in ROOMS for path in modules(room) for other in imported(path)}
    return {(room, other) for room, other in found if room != other}


def needs_torch(room: str) -> bool:
    """Whether importing a room imports torch."""

    def torch(path: pathlib.Path, seen: set) -> bool:
        if path in seen:
            return False
        seen.add(path)
        names = imports(path, inside=False)
        if any(name.split(".")[0] in ("torch", "torchvision") for name in names):
            return True
        return any(torch(file, seen) for name in names for file in _files(name))

    return any(torch(path, set()) for path in modules(room))


@functools.cache
def _files(name: str) -> list[pathlib.Path]:
    """The files that importing a name of the package runs: of sifting.tables.words.percent two."""
    parts = name.split(".")
    if parts[0] != "sifting":
        return []
    found = []
    for size in range(2, len(parts) + 1):
        here = PACKAGE.joinpath(*parts[1:size])
        found += [file for file in (here / "__init__.py", here.with_suffix(".py")) if file.exists()]
    return found


def plan() -> str:
    """Each room, its purpose and what it imports, as a table in Markdown; CONTRIBUTING.md has it."""
    drawn = arrows()
    rows = ["| room | what it is for | imports |", "| --- | --- | --- |"]
    for room in ROOMS:
        others = ", ".join(f"`{other}`" for other in ROOMS if (room, other) in drawn)
        mark = " ⚡" if needs_torch(room) else ""
        rows.append(f"| `{room}`{mark} | {purpose(room)} | {others or '–'} |")
    return "\n".join(rows)


def numbers() -> str:
    """How large the house is, in a line."""
    drawn = arrows()
    back = sum(ROOMS.index(other) > ROOMS.index(room) for room, other in drawn)
    names = {room_of(path) for path in PACKAGE.rglob("*.py")} - {"__init__"}
    try:
        graphlib.TopologicalSorter({room: {b for a, b in drawn if a == room} for room in ROOMS}).prepare()
        circles = "no circle"
    except graphlib.CycleError as error:
        circles = f"a circle: {' → '.join(error.args[1])}"
    return (
        f"{len(names)} names at the top, {len(ROOMS)} rooms, {len(drawn)} arrows between them, {circles}, "
        f"{back} back up"
    )


def main() -> None:
    """Print the plan and the numbers."""
    print(plan())
    print(f"\n{numbers()}; ⚡ imports torch")
