"""What a page is made from: the definitions that its chapter reaches, by the text of the code alone."""

import ast
import dataclasses
import functools
import hashlib
import pathlib
from collections.abc import Iterator

import nbformat

import sifting
from sifting.publish import catalog

PACKAGE = pathlib.Path(__file__).parents[1]
PINS = PACKAGE.parent / "constraints.txt"
FORM = "import sifting.publish.normal; sifting.publish.normal"  # that every page is given
SCRIPTS = PACKAGE / "widgets"  # its .js and .css files belong to every page with an explorer


@dataclasses.dataclass
class Module:
    """The text of a module, definition by definition.

    imported    : name -> what it stands for, as sifting.tables or sifting.tables.locality.slope
    definitions : name -> its node; the name "" -> statements that run when the module is imported
    """

    name: str
    tree: ast.Module
    imported: dict[str, str] = dataclasses.field(default_factory=dict)
    definitions: dict[str, list[ast.stmt]] = dataclasses.field(default_factory=dict)
    known: dict[str, tuple[str, list]] = dataclasses.field(default_factory=dict)  # what `read` has returned

    def __post_init__(self):
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom):
                self.imported |= {
                    alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names
                }
            elif isinstance(node, ast.Import):
                for alias in node.names:  # import a.b binds a
                    first = alias.name.partition(".")[0]
                    self.imported |= {alias.asname: alias.name} if alias.asname else {first: first}
        for node in self.tree.body:
            for name in _names(node):
                self.definitions.setdefault(name, []).append(node)

    def read(self, name: str) -> tuple[str, list[tuple[str, str]]]:
        """The source of a definition, and the definitions that it uses itself, as (module, name)."""
        if name not in self.known:
            nodes = self.definitions[name]
            paths = (path for node in nodes for path in _used(node, self.imported))
            places = [place for path in paths if (place := _place(path, self.name))]
            self.known[name] = "\n".join(map(ast.unparse, nodes)), places
        return self.known[name]


def _names(node: ast.stmt) -> list[str]:
    """What a statement defines; "" where it defines nothing, and does something."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        stored = (name for target in targets for name in ast.walk(target) if isinstance(name, ast.Name))
        return [name.id for name in stored if isinstance(name.ctx, ast.Store)] or [""]
    docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return [] if docstring or isinstance(node, (ast.Import, ast.ImportFrom)) else [""]


@functools.cache
def modules() -> dict[str, Module]:
    """All modules of the package by their names, as sifting.tables.locality."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = Module(name, ast.parse(path.read_text(encoding="utf-8")))
    return found


def _used(node: ast.AST, imported: dict[str, str]) -> Iterator[str]:
    """What the names in a piece of code stand for, with their attributes: sifting.tables.locality.slope."""
    chain, inner = [], node
    while isinstance(inner, ast.Attribute):
        chain.append(inner.attr)
        inner = inner.value
    if isinstance(inner, ast.Name):
        yield ".".join([imported.get(inner.id, inner.id), *reversed(chain)])
    else:
        for part in ast.iter_child_nodes(node):
            yield from _used(part, imported)


def _place(path: str, here: str) -> tuple[str, str] | None:
    """(module, definition) that a path means in the module `here`; "*" for all of a module."""
    known, parts = modules(), path.split(".")
    if here in known and parts[0] in known[here].definitions:
        return here, parts[0]
    for size in range(len(parts), 0, -1):
        if (name := ".".join(parts[:size])) in known:
            rest = parts[size:]
            if not rest:
                return name, "*"
            if name == "sifting" and rest[0] in sifting.FROM:  # what is imported when it is asked for
                return _place(".".join([sifting.FROM[rest[0]], *rest]), name)
            if rest[0] in known[name].definitions:
                return name, rest[0]
            if rest[0] in known[name].imported:  # a package that brings it to its surface
                return _place(".".join([known[name].imported[rest[0]], *rest[1:]]), name)
            return None
    return None


def reached(code: str) -> dict[tuple[str, str], str]:
    """The definitions that a piece of code reaches, through all that they use: (module, name) -> source.

    Followed are names and their attributes, not what is imported by a string: what computes stored results
    is no part of a page that is drawn from them. Of a class, all is taken; of a module that is named as a
    whole, too.
    """
    tree = ast.parse(code)
    start = Module("", tree)
    waiting = [place for path in _used(tree, start.imported) if (place := _place(path, ""))]
    found = {}
    while waiting:
        module, name = waiting.pop()
        home = modules()[module]
        if (package := module.rpartition(".")[0]) in modules():
            waiting.append((package, ""))  # importing a module runs what its package does first
        for one in [*home.definitions] if name == "*" else [name, ""]:
            if (module, one) in found or one not in home.definitions or _opaque(module):
                continue
            found[module, one], used = home.read(one)
            waiting += used
    return found


def _opaque(module: str) -> bool:
    """Whether a module finds or computes results.

    A page depends on which they are, not on how they are found.
    """
    return module == "sifting.publish.plans" or module.startswith(("sifting.store", "sifting.cache"))


def sourced(tree: ast.Module) -> Iterator[str]:
    """Functions whose source a chapter shows, page.source("observables.locality.localization")."""
    for node in _calls(tree, "source"):
        yield from (argument.value for argument in node.args if isinstance(argument, ast.Constant))


def tested(tree: ast.Module) -> Iterator[str]:
    """Figures on which a chapter tests statements, page.check("PB1a", ...)."""
    for node in _calls(tree, "check"):
        if node.args and isinstance(node.args[0], ast.Constant):
            yield node.args[0].value


def _calls(tree: ast.Module, method: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method:
            yield node


def fingerprint(chapter: pathlib.Path, parameters: dict, results: list[str]) -> str:
    """A hash of all that a page is made from, but the text of comments.

    chapter : the notebook; parameters: what it is run with; results : a hash of each stored result behind it
    """
    cells = nbformat.read(chapter, 4).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    tree = ast.parse(code)
    shown = "\n".join(f"import sifting.{name.rpartition('.')[0]}; sifting.{name}" for name in sourced(tree))
    definitions = reached(f"{code}\n{shown}\n{FORM}")
    said = set(tested(tree)) | {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    parts = [
        *(f"{cell.cell_type} {cell.metadata} {cell.source}" for cell in cells),
        repr(sorted(parameters.items())),
        *results,
        *(f"{module}.{name}\n{source}" for (module, name), source in sorted(definitions.items())),
        *(repr(record) for record in catalog.statements().values() if {record.id, record.key} & said),
        PINS.read_text(encoding="utf-8"),
    ]
    if any(module.startswith("sifting.widgets") for module, _ in definitions):
        scripts = sorted(path for path in SCRIPTS.iterdir() if path.suffix in (".js", ".css"))
        parts += [path.read_text(encoding="utf-8") for path in scripts]
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part.encode()).digest())
    return digest.hexdigest()
