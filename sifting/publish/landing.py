"""What the first page has of the laboratory: the widget of the page `lab`, in small."""

import json
import pathlib
import re

import nbformat

from sifting.publish.normal import STATE, VIEW
from sifting.publish.web import shared

SCRIPT = pathlib.Path(__file__).with_suffix(".js")
EMPTY = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 24">
<text x="8" y="16" font-size="13" fill="#777">not drawn here yet</text></svg>
"""


def laboratory(page: pathlib.Path, small: bool = True) -> dict | None:
    """The laboratory of an executed page: the id of its model, and the state of the widget.

    None where there is no such page, or nothing on it yet.
    """
    notebook = nbformat.read(page, 4) if page.exists() else nbformat.v4.new_notebook()
    shown = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])]
    views = [data[VIEW]["model_id"] for data in shown if VIEW in data]
    if not views:
        return None
    model = notebook.metadata["widgets"][STATE]["state"][views[0]]
    state = model | {"state": model["state"] | {"small": small}}
    return {"model": views[0], "state": {views[0]: state}}


def write(target: pathlib.Path, book: pathlib.Path, small: bool = True) -> None:
    """Write the script that puts the laboratory on the first page of the site, or on another."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if found := laboratory(book / "lab.ipynb", small):
        found["state"] = shared.apart(found["state"], target.parent)
    known = json.dumps(found, sort_keys=True)
    target.write_text(f"const LAB = {known};\n" + SCRIPT.read_text(encoding="utf-8"), encoding="utf-8")


def stand_in(book: pathlib.Path) -> None:
    """Where a written page shows a picture of a chapter that is not drawn yet, put one that says so."""
    for page in book.glob("*.md"):
        for name in re.findall(r"figures/[\w-]+/[\w-]+\.svg", page.read_text(encoding="utf-8")):
            if not (book / name).exists():
                (book / name).parent.mkdir(parents=True, exist_ok=True)
                (book / name).write_text(EMPTY, encoding="utf-8")
