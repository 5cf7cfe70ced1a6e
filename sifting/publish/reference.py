"""Writes the page of every public function with its source, from the text of the code alone."""

import ast
import pathlib
import re
import textwrap
from html import escape

import sifting
from sifting.publish.house import PACKAGE, ROOMS, modules
from sifting.publish.markup import chooser

FIRST = [  # what a reader needs first, besides what `import sifting` gives
    "pruning.plain.imp",  # the experiment in one loop
    "publish.page.open_chapter",  # the results of a chapter
]
ORDERS = {"by room": None, "by name": ["name", 1]}


def reference() -> str:
    """The page: what one needs first, then all that is public, by rooms, with its source."""
    blocks = {room: entries(room, files) for room in ROOMS if (files := modules(room))}
    firsts = [_first(name, blocks) for name in [*_door(), *FIRST]]
    text = [
        "# Functions",
        "To measure or prune a network of your own, or to read the experiment in code, you need "
        f"{len(firsts)} names:",
        f'<ul class="firsts">{"".join(firsts)}</ul>',
        "[With your own network](own.ipynb) shows them at work. All others are below, by the part of the "
        "package that they belong to; a row opens, and shows arguments, equations and source.",
        chooser("functions", {"room": {"all": "all rooms"}}, ORDERS, find=True),
    ]
    for room, (about, found) in blocks.items():
        rows = "\n\n".join(found)
        text += [
            f"## {room}",
            f'<p class="room">{escape(about)}</p>',
            f'<details class="folded"><summary>{len(found)} function{"s" * (len(found) > 1)}</summary>'
            f'<ul class="claims functions choosable" role="list" aria-label="{room}">',
            f"{rows}</ul></details>" if rows else "</ul></details>",
        ]
    return "\n\n".join(text) + "\n"


def _door() -> list[str]:
    """Anchors of what `import sifting` gives."""
    return [f"{module.split('.')[1]}.{name}" for name, module in sifting.FROM.items()]


def _first(name: str, blocks: dict) -> str:
    """A line on a function, and a link to all of it. Raises ValueError where there is none of that name."""
    room, last = name.split(".")[0], name.rpartition(".")[2]
    for block in blocks[room][1]:
        if found := re.match(rf'<li class="function" id="({room}\.(?:[\w.]+\.)?{last})"', block):
            called = f"sifting.{last}" if name in _door() else name
            says = re.search(r'<span class="says">(.*?)</span></summary>', block)[1]
            return f'<li><a href="#{found[1]}"><code>{called}</code></a> {says}</li>'
    raise ValueError(f"no public function {name}")


def entries(room: str, files: list[pathlib.Path]) -> tuple[str, list[str]]:
    """What a room says of itself, and a row for every public function and class."""
    about, rows, exported = "", [], public(files)
    for path in files:
        source = path.read_text(encoding="utf-8")
        tree = ast.parse(source)
        if path in (PACKAGE / f"{room}.py", PACKAGE / room / "__init__.py"):
            about = ast.get_docstring(tree) or ""
        for node in tree.body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                name = f"{room}.{node.name}" if node.name in exported else f"{_module(path)}.{node.name}"
                rows.append(entry(name, node, source, room))
    return about, rows


def _module(path: pathlib.Path) -> str:
    """The name of a module in the package, as publish.pages.made."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


def public(files: list[pathlib.Path]) -> set[str]:
    """Names that the __init__ of a package brings to its surface, from its modules."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in files if path.name == "__init__.py"]
    stems = {path.stem for path in files}
    return {
        alias.name
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module != "sifting"
        for alias in node.names
        if alias.name not in stems
    }


def entry(name: str, node: ast.FunctionDef | ast.ClassDef, source: str, room: str = "") -> str:
    """One function or class: name and first line; opened, the rest. Its name is its anchor."""
    first, _, rest = (ast.get_docstring(node) or "").partition("\n")
    rest = textwrap.dedent(rest).strip("\n")
    start = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    code = "\n".join(source.splitlines()[start - 1 : node.end_lineno])
    return "\n".join(
        [
            f'<li class="function" id="{name}" data-room="{room}" data-name="{node.name}"><details>'
            f'<summary><code>{name}</code> <span class="says">{marked(first)}</span></summary>',
            f'<p class="signature"><code>{escape(signature(name, node))}</code></p>',
            *(paragraph(block) for block in rest.split("\n\n") if block.strip()),
            f"\n```python\n{code}\n```\n",
            "</details></li>",
        ]
    )


def paragraph(block: str) -> str:
    """A block of a docstring as HTML: prose flows; equations and arguments keep their lines."""
    lines = block.strip("\n").split("\n")
    if any(line.startswith(" ") or " : " in line for line in lines):
        return f"\n<pre>{marked(chr(10).join(lines))}</pre>"
    return f"<p>{marked(' '.join(lines))}</p>"


def marked(text: str) -> str:
    """A docstring as HTML, with its `names` as code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))


def signature(name: str, node: ast.FunctionDef | ast.ClassDef) -> str:
    """The signature as in the source; of a class, that of its constructor where it has one."""
    if isinstance(node, ast.ClassDef):
        inits = [item for item in node.body if isinstance(item, ast.FunctionDef) and item.name == "__init__"]
        arguments = ast.unparse(inits[0].args).removeprefix("self").removeprefix(", ") if inits else ""
        return f"class {name}" + f"({arguments})" * bool(inits)
    return f"{name}({ast.unparse(node.args)})" + (f" -> {ast.unparse(node.returns)}" if node.returns else "")
