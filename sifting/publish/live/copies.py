"""Copies of the chapters, in the order of the book, to run and to change; what a reader changed is kept."""

import ast
import dataclasses
import datetime
import hashlib
import pathlib
import re

import nbformat
from nbformat.sign import NotebookNotary

from sifting.publish import asked, contents, runner, sources
from sifting.publish.live import markdown
from sifting.publish.normal import STATE
from sifting.publish.pages.outputs import record
from sifting.publish.pages.tried import said

INDEX = "00-start-here.md"
EARLIER = "earlier-"  # folder of copies that were put aside
UNKNOWN = "(not drawn yet)"
PRESS = "Press <kbd>Shift</kbd>+<kbd>Enter</kbd> here: a panel of the settings of this chapter opens."


@dataclasses.dataclass(frozen=True)
class Copy:
    """A copy of a chapter.

    part  : of the book that the chapter is in
    state : new, kept (as it was), renewed (the chapter has changed, nobody changed the copy), changed (by the
            reader), or behind: changed by the reader, and the chapter has changed since
    """

    chapter: str
    file: str
    part: str
    state: str


def write(folder: pathlib.Path, fresh: bool = False) -> list[Copy]:
    """Write what copies lack, and a page that lists them.

    fresh : all anew; what the reader changed is moved to a folder of its own

    A copy is written again where its chapter has changed and the reader has not changed it, or has not run it
    and the page of the book has been drawn since.
    """
    parts = {name: part for part, names in contents.parts().items() for name in names}
    files = {chapter: f"{number:02d}-{chapter}.ipynb" for number, chapter in enumerate(parts, 1)}
    folder.mkdir(parents=True, exist_ok=True)
    if fresh:
        _put_aside(folder, files)
    found = []
    for chapter, file in files.items():
        source = nbformat.read(sources.path(chapter), 4)
        state = _state(folder / file, source)
        if state in ("new", "renewed"):
            made = copy_of(chapter, source, files)
            text = nbformat.writes(made) + "\n"
            if state == "renewed" and (folder / file).read_text(encoding="utf-8") == text:
                state = "kept"
            (folder / file).write_text(text, encoding="utf-8")
            NotebookNotary().sign(made)  # or JupyterLab would not show explorers
        found.append(Copy(chapter, file, parts[chapter], state))
    (folder / INDEX).write_text(index(found), encoding="utf-8")
    return found


def copy_of(chapter: str, source, files: dict[str, str]):
    """A chapter as a notebook to open in JupyterLab: with the outputs of the book's page, if that is drawn.

    source : the chapter; files : chapter -> file of its copy
    """
    copy = nbformat.from_dict(source)
    numbers = markdown.numbered([cell.source for cell in source.cells if cell.cell_type == "markdown"])
    drawn, widgets = _drawn(chapter)
    for cell in copy.cells:
        if cell.cell_type == "markdown":
            cell.source = markdown.plain(
                sources.folded(cell.source),
                files,
                numbers,
                lambda page, name: glued(page or chapter).get(name, UNKNOWN),
            )
        elif "parameters" in cell.metadata.get("tags", []):
            cell.source = _settled(cell.source, chapter)
        else:
            cell.outputs = drawn.get((cell.id, cell.source), [])
            cell.metadata.jupyter = {"source_hidden": True}
    call = f"from sifting.publish.live.panel import panel\n\npanel({chapter!r})"
    press = {"text/html": f'<p class="live-start">{PRESS}</p>', "text/plain": re.sub("<.*?>", "", PRESS)}
    head = nbformat.v4.new_code_cell(
        call, id="panel", metadata={"jupyter": {"source_hidden": True}}, outputs=[_output(press)]
    )
    copy.cells.insert(1, head)
    if widgets:
        copy.metadata.widgets = widgets
    copy.metadata.sifting = {"chapter": chapter, "of": _digest(source), "written": _digest(copy)}
    return copy


def _output(data: dict, metadata: dict | None = None):
    return nbformat.v4.new_output("display_data", data, metadata=metadata or {})


def _drawn(chapter: str) -> tuple[dict, dict]:
    """The outputs of the book's page: (ID, source) of a cell -> outputs; and the state of its explorers."""
    page = runner.BOOK / f"{chapter}.ipynb"
    if not (made := record(page)):
        return {}, {}
    notebook = nbformat.read(page, 4)
    stored = f'<p class="as-stored">as in the book: {said(made)}</p>'
    found = {
        (cell.id, cell.source): [
            _output(_stored(output, stored), output.metadata)
            for output in cell.outputs
            if "data" in output and "scrapbook" not in output.metadata
        ]
        for cell in notebook.cells
        if cell.cell_type == "code"
    }
    widgets = notebook.metadata.get("widgets", {})
    return found, {STATE: widgets[STATE]} if STATE in widgets else {}


def glued(chapter: str) -> dict:
    """What the book's page of a chapter gives to texts: name -> number or words."""
    page = runner.BOOK / f"{chapter}.ipynb"
    outputs = (
        output
        for cell in (nbformat.read(page, 4).cells if page.exists() else ())
        for output in cell.get("outputs", [])
    )
    return {
        output.metadata["scrapbook"]["name"]: ast.literal_eval(next(iter(output.data.values())))
        for output in outputs
        if "scrapbook" in output.get("metadata", {})
    }


def _stored(output, stored: str) -> dict:
    """The data of an output of the book's page, which say that they are that."""
    data = dict(output.data)
    if "sifting" in output.metadata and "text/html" in data:
        data["text/html"] = stored + markdown.on_site(data["text/html"])
    return data


def _settled(parameters: str, chapter: str) -> str:
    """The cell of parameters with the settings of the book's page."""
    preset, _, seeds = asked.settle(chapter, None, None, None)
    for name, value in {"preset": f'"{preset}"', "seeds": seeds}.items():
        parameters = re.sub(rf"(?m)^{name} = [^ \n]+", f"{name} = {value}", parameters)
    return parameters


# --- what became of a copy


def _digest(notebook) -> str:
    text = "\0".join(f"{cell.cell_type} {cell.source}" for cell in notebook.cells)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _state(copy: pathlib.Path, source) -> str:
    """What is to become of a copy, or has: see Copy."""
    if not copy.exists():
        return "new"
    try:
        notebook = nbformat.read(copy, 4)
        made = notebook.metadata.sifting
        changed, behind = _digest(notebook) != made.written, _digest(source) != made.of
    except Exception:  # no notebook, or none of ours, under this name: it is the reader's
        return "changed"
    if changed:
        return "behind" if behind else "changed"
    run = any(cell.get("outputs") for cell in notebook.cells if cell.id != "panel")
    return "kept" if run and not behind else "renewed"


def _put_aside(folder: pathlib.Path, files: dict[str, str]) -> None:
    """Move copies that the reader changed to a folder of this minute, and remove the others."""
    aside = folder / f"{EARLIER}{datetime.datetime.now():%Y-%m-%d-%H%M%S}"
    for chapter, file in files.items():
        if not (folder / file).exists():
            continue
        if _state(folder / file, nbformat.read(sources.path(chapter), 4)) in ("changed", "behind"):
            aside.mkdir(exist_ok=True)
            (folder / file).rename(aside / file)
        else:
            (folder / file).unlink()


# --- the first page


def index(copies: list[Copy]) -> str:
    """The page to begin with, in Markdown."""
    lines, part = [], ""
    notes = {
        "changed": "changed by you",
        "behind": "changed by you, and the chapter has changed since: `make live fresh=1` begins anew, and "
        "puts yours aside",
    }
    for number, copy in enumerate(copies, 1):
        if copy.part != part:
            part = copy.part
            lines += ["", f"## {part}", ""]
        said = [notes[copy.state]] if copy.state in notes else []
        said += ["not drawn yet"] * (not record(runner.BOOK / f"{copy.chapter}.ipynb"))
        note = f" *({'; '.join(said)})*" if said else ""
        title, about = sources.title(copy.chapter), sources.about(copy.chapter)
        lines.append(f"{number}. [{title}]({copy.file}){note}  \n   {about}")
    begin = pathlib.Path(__file__).with_name("start.md").read_text(encoding="utf-8")
    return "\n".join([begin, *lines, ""])
