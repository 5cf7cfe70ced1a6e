"""Figures of the site are files; under each stand its data, its picture, its code, and how to cite it."""

import ast
import base64
import functools
import json
import pathlib
import re
import shutil
import textwrap
from html import escape

import yaml
from sphinx.highlighting import PygmentsBridge

from sifting.publish import sources
from sifting.publish.catalog import FIGURES, PAPERS
from sifting.publish.web.tags import attribute

FOLDER = "_figures"  # of the site
PICTURE = re.compile(r'src="data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)"')
FIGURE = re.compile(r'<figure class="sifting-figure" id="([^"]*)">(.*?)</figcaption></figure>', re.DOTALL)
DRAWN = re.compile(r'href="reference.html#(figures\.[\w.]+)"')
PIXELS = 96 / 72  # a point


def finished(body: str, page: str, title: str, book: pathlib.Path, site: pathlib.Path) -> str:
    """A page whose pictures are files, and whose figures have a row each; HTML.

    book : the folder of executed chapters, with figures/PAGE/NAME.csv; site : that of the site
    """
    folder = site / FOLDER / page
    shutil.rmtree(folder, ignore_errors=True)
    shown: dict[str, int] = {}

    def told(found: re.Match) -> str:
        name, inside = found.groups()
        inside = PICTURE.sub(lambda picture: _stored(folder, _next(shown, name), picture[1]), inside)
        numbers = book / "figures" / page / f"{name}.csv"
        if numbers.exists():
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(numbers, folder / numbers.name)
        inside = inside.replace('<div class="scroll"', f'{_enlarge(page, name)}<div class="scroll"', 1)
        row = _row(name, page, title, DRAWN.search(inside), book, numbers.exists())
        return f'<figure class="sifting-figure" id="{name}">{inside}</figcaption>{row}</figure>'

    body = FIGURE.sub(told, body)
    return PICTURE.sub(lambda picture: _stored(folder, _next(shown, "picture"), picture[1]), body)


def _next(shown: dict[str, int], name: str) -> str:
    """The name of a file: that of the figure, and a number from the second on."""
    shown[name] = shown.get(name, 0) + 1
    return name if shown[name] == 1 else f"{name}-{shown[name]}"


def _stored(folder: pathlib.Path, name: str, data: str) -> str:
    """Write a picture to its file; returns the attributes of an image that shows it."""
    text = base64.b64decode(data)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.svg").write_bytes(text)
    opening = re.search("<svg[^>]*>", text[:2000].decode(errors="replace"))[0]
    points = {side: attribute(opening, side).removesuffix("pt") for side in ("width", "height")}
    sides = "".join(f' {side}="{PIXELS * float(size):.0f}"' for side, size in points.items())
    return f'src="../{FOLDER}/{folder.name}/{name}.svg"{sides}'


def _enlarge(page: str, name: str) -> str:
    return (
        f'<a class="enlarge" href="../{FOLDER}/{page}/{name}.svg" aria-label="Enlarge {name}">'
        '<span aria-hidden="true">⤢ Enlarge</span></a>'
    )


def _row(name: str, page: str, title: str, drawn: re.Match | None, book: pathlib.Path, numbers: bool) -> str:
    """What one may take along of a figure: its numbers, the picture, the code, how to cite it."""
    path = f"../{FOLDER}/{page}/{name}"
    parts = [f'<a href="{path}.csv" download aria-label="Data of {name} as CSV">Data (CSV)</a>'] * numbers
    parts.append(f'<a href="{path}.svg" download aria-label="Picture {name} as SVG">Picture (SVG)</a>')
    if code := "\n\n\n".join(
        filter(None, [_call(book / f"{page}.ipynb", name), drawn and source_of(drawn[1])])
    ):
        colored = PygmentsBridge("html").highlight_block(code, "python")
        parts.append(
            f'<details><summary aria-label="Code of {name}">Code</summary>'
            f'<div class="highlight-python notranslate">{colored}</div></details>'
        )
    parts.append(
        f'<details><summary aria-label="How to cite {name}">Cite</summary>'
        f"<pre>{escape(citation(name, title))}</pre></details>"
    )
    return f'<div class="about">{"".join(parts)}</div>'


def source_of(function: str) -> str:
    """The lines of a function of sifting.figures, "" where there is no such."""
    file = pathlib.Path(sources.ROOT, "sifting", *function.split(".")[:-1]).with_suffix(".py")
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    nodes = (
        node for node in ast.parse(text).body if getattr(node, "name", "") == function.rpartition(".")[2]
    )
    return next((ast.get_source_segment(text, node) for node in nodes), "")


def _call(notebook: pathlib.Path, name: str) -> str:
    """The statement of a chapter that shows a figure; "" where no cell names it."""
    for code in _cells(notebook):
        if f'"{name}"' in code:
            for node in ast.parse(code).body:
                call = node.value if isinstance(node, ast.Expr) else None
                if isinstance(call, ast.Call) and call.args and getattr(call.args[0], "value", "") == name:
                    return textwrap.dedent(ast.get_source_segment(code, node))
    return ""


@functools.lru_cache(1)
def _cells(notebook: pathlib.Path) -> list[str]:
    if not notebook.exists():
        return []
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


@functools.cache
def _book() -> dict:
    return yaml.safe_load((sources.ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def citation(name: str, title: str) -> str:
    """How to cite a figure: a line, and the book as BibTeX."""
    cff = _book()
    year, authors = str(cff["date-released"])[:4], " and ".join(one["name"] for one in cff["authors"])
    after = next((words for prefix, (_, words, _) in PAPERS.items() if name.startswith(prefix)), "")
    after = f", after {after}" * (name in FIGURES)
    where = f"Chapter “{title}”, figure {name}{after}"
    fields = {
        "title": cff["title"],
        "author": f"{{{authors}}}",
        "year": year,
        "version": cff["version"],
        "note": where,
    }
    bibtex = ",\n".join(f"  {field} = {{{words}}}" for field, words in fields.items())
    line = f"{authors[0].upper()}{authors[1:]} ({year}). {cff['title']}, version {cff['version']}. {where}."
    return f"{line}\n\n@software{{sifting{year},\n{bibtex}\n}}"


def bare(notebook: pathlib.Path) -> None:
    """Take the outputs out of a notebook that readers may download: they are on the page, and are large."""
    found = json.loads(notebook.read_text(encoding="utf-8"))
    if not any(cell.get("outputs") for cell in found["cells"]):
        return
    for cell in found["cells"]:
        cell |= {"outputs": [], "execution_count": None} if cell["cell_type"] == "code" else {}
    found["metadata"].pop("widgets", None)
    note = "Run this notebook in the folder `chapters/` of the book; its outputs are on the page."
    found["cells"].insert(0, {"cell_type": "markdown", "id": "note", "metadata": {}, "source": note})
    notebook.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
