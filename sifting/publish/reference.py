"""Writes the page of every public function with its source, from the text of the code alone."""

import ast
import pathlib
import re
import textwrap
from html import escape

from sifting.publish.house import PACKAGE, ROOMS, modules


def reference() -> str:
    """The page: rooms in the order in which data flows, and the source of all that is public."""
    text = [
        "# Functions",
        "Everything that the chapters call, with its source. Rooms stand in the order in which data flows "
        "through them, and a room uses only rooms above it.",
    ]
    for room in ROOMS:
        if files := modules(room):
            text += [f"## {room}", *entries(room, files)]
    return "\n\n".join(text) + "\n"


def entries(room: str, files: list[pathlib.Path]) -> list[str]:
    """A room's blocks: what it says of itself, then one for every public function and class."""
    blocks, exported = [], public(files)
    for path in files:
        source = path.read_text(encoding="utf-8")
        tree = ast.parse(source)
        if path.stem in (room, "__init__") and ast.get_docstring(tree):
            blocks.append(f'<p class="room">{escape(ast.get_docstring(tree))}</p>')
        for node in tree.body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                name = f"{room}.{node.name}" if node.name in exported else f"{_module(path)}.{node.name}"
                blocks.append(entry(name, node, source))
    return blocks


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


def entry(name: str, node: ast.FunctionDef | ast.ClassDef, source: str) -> str:
    """One function or class: signature, docstring, source to unfold. Its name is its anchor."""
    first, _, rest = (ast.get_docstring(node) or "").partition("\n")
    rest = textwrap.dedent(rest).strip("\n")
    start = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    code = "\n".join(source.splitlines()[start - 1 : node.end_lineno])
    return "\n".join(
        [
            f'<div class="function" id="{name}">',
            f'<p class="signature"><code>{escape(signature(name, node))}</code></p><p>{marked(first)}</p>',
            *(paragraph(block) for block in rest.split("\n\n") if block.strip()),
            "<details><summary>Source</summary>\n",
            f"```python\n{code}\n```\n",
            "</details></div>",
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
