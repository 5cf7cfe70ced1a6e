"""Chapters as their notebooks say: names, titles, what they are about, parameters. No notebook library."""

import ast
import hashlib
import json
import pathlib
import re
from collections.abc import Iterable
from typing import Any

from sifting.publish.catalog.figures import PAPERS

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHAPTERS = ROOT / "chapters"
GUIDES = CHAPTERS / "guides"
AUTHORS = {stem: who.rpartition(" ")[0] for stem, who, _ in PAPERS.values() if "Anonymous" not in who}
PARAMETERS = "preset", "seeds", "device", "overrides"  # of every chapter


def stamp() -> str:
    """A hash of the package and of all chapters."""
    files = [*pathlib.Path(__file__).parents[1].rglob("*.*"), *CHAPTERS.rglob("*.ipynb")]
    texts = [path.read_bytes() for path in sorted(files) if path.suffix != ".pyc" and path.is_file()]
    return hashlib.sha256(b"\0".join(texts)).hexdigest()


class BuildError(Exception):
    """A chapter whose cell fails, or a site that does not build; the message says where."""


def chapters() -> list[str]:
    """Names of all chapters."""
    return sorted(path.stem for path in CHAPTERS.glob("*.ipynb"))


def guides() -> list[str]:
    """Names of all pages that are executed, too, and are no chapters: they plan and store nothing."""
    return sorted(path.stem for path in GUIDES.glob("*.ipynb"))


def guide(name: str) -> pathlib.Path:
    """The notebook of a guide; it need not be there."""
    return GUIDES / f"{name}.ipynb"


def path(name: str) -> pathlib.Path:
    """The notebook of a chapter; it need not be there."""
    return CHAPTERS / f"{name}.ipynb"


def cells(file: pathlib.Path) -> list[dict]:
    """Cells of a notebook, each with its source as one string.

    Raises BuildError for a file that is no notebook.
    """
    try:
        found = json.loads(file.read_text(encoding="utf-8"))["cells"]
        return [cell | {"source": "".join(cell["source"])} for cell in found]
    except (ValueError, KeyError, TypeError) as error:
        why = str(error).partition("\n")[0]
        raise BuildError(f"{file} is not a notebook: {type(error).__name__} {why}") from None


def title(name: str) -> str:
    """The title of a chapter."""
    return cells(path(name))[0]["source"].partition("\n")[0].lstrip("# ")


def about(name: str) -> str:
    """What a chapter is about, in plain text: its first paragraph, which is the claim where it has one."""
    text = cells(path(name))[0]["source"].split("\n\n")[1]
    text = re.sub(r"^\*\*\w+[.]\*\* ", "", text)  # Claim.
    text = re.sub(r" ?\{cite:p\}`[^`]*`", "", text)
    text = re.sub(r"\{cite:t\}`([^`]*)`", lambda cited: AUTHORS.get(cited[1], "the authors"), text)
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text)  # words of links
    return re.sub(r"\s+", " ", text.replace("*", "")).strip()


TOLD = "The answer, for those who have predicted or do not want to"


def folded(text: str) -> str:
    """The head of a chapter with its answer folded: the reader predicts first, and a prediction opens it.

    text : Markdown, whose paragraphs "Answer." and "How sure." follow each other
    """
    answer = re.search(r"^\*\*Answer\.\*\* .+\n\n\*\*How sure\.\*\* .+$", text, re.M)
    if not answer:
        return text
    fold = f'<details class="answer folded"><summary>{TOLD}</summary>\n\n{answer[0]}\n\n</details>'
    return text.replace(answer[0], fold)


def parameters_of(file: pathlib.Path) -> dict[str, Any]:
    """Parameters of a notebook, and their values as its cell of parameters has them.

    The cell is read, and not run: a line of it is NAME = LITERAL, where dict(name=LITERAL) is one, too.
    Raises BuildError for a line that is not, and for a file that is no notebook.
    """
    found, line = {}, 1
    tagged = (cell for cell in cells(file) if "parameters" in cell.get("metadata", {}).get("tags", []))
    text = next(tagged, {"source": ""})["source"]
    try:
        for node in ast.parse(text).body:
            line = node.lineno
            [name] = [node.target] if isinstance(node, ast.AnnAssign) else node.targets
            found[name.id] = _literal(node.value)
    except (AttributeError, SyntaxError, TypeError, ValueError) as error:
        line = getattr(error, "lineno", line)
        said = text.splitlines()[line - 1].strip()
        raise BuildError(
            f"{file}: parameters are literals, as: seeds = 4; line {line} of their cell is not: {said}"
        ) from None
    return found


def _literal(node: ast.expr):
    """The value of a literal, or of dict(name=LITERAL). Raises ValueError for anything else."""
    named = isinstance(node, ast.Call) and not node.args and all(word.arg for word in node.keywords)
    if named and ast.unparse(node.func) == "dict":
        return {word.arg: _literal(word.value) for word in node.keywords}
    return ast.literal_eval(node)


def check_parameters(source: pathlib.Path, names: Iterable[str] = PARAMETERS) -> dict[str, Any]:
    """What `parameters_of` returns. Raises ValueError where a notebook lacks a parameter of `names`."""
    if unknown := sorted(set(names) - set(known := parameters_of(source))):
        where = f"{source.parent.name}/{source.name}"
        raise ValueError(f"{where} has no parameter {', '.join(unknown)}; it has {', '.join(known)}")
    return known
