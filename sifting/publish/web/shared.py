"""What is long in widgets stands once for all pages, in scripts that a page loads, from disk, too."""

import hashlib
import json
import pathlib
import re

FOLDER = "shared"  # beside anywidget-static.js, which reads what lies there
LONG = 4000  # characters of a text, or of bytes in base64, from which it stands apart
NAMED = re.compile(r'"shared": ?"([0-9a-f]{16})"')


def apart(states: dict, static: pathlib.Path) -> dict:
    """The states of widgets, with names of files in the place of scripts, styles, and long data.

    states : id of a model -> its state and buffers, as pages store them
    static : the folder of the site in which FOLDER lies
    """

    def named(value):
        return {"shared": _stored(value, static)} if isinstance(value, str) and len(value) > LONG else value

    def bytes_of(buffer: dict) -> dict:
        data = named(buffer["data"])
        return buffer if data is buffer["data"] else {"path": buffer["path"], **data}

    return {
        model: entry
        | {"state": {key: named(value) for key, value in entry["state"].items()}}
        | {"buffers": [bytes_of(buffer) for buffer in entry.get("buffers", [])]}
        for model, entry in states.items()
    }


def _stored(text: str, static: pathlib.Path) -> str:
    """Write a text to a script of its own, unless it is there; returns its name."""
    name = hashlib.sha256(text.encode()).hexdigest()[:16]
    path = static / FOLDER / f"{name}.js"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        said = json.dumps(text, ensure_ascii=False)
        path.write_text(f'(window.siftingShared ??= {{}})["{name}"] = {said};\n', encoding="utf-8")
    return name


def on_page(scripts: list, static: pathlib.Path) -> None:
    """Put the states of widgets apart that Sphinx is to write into a page. scripts : of the page."""
    for script in scripts:
        if script.attributes.get("type", "").endswith("widget-state+json"):
            found = json.loads(script.attributes["body"])
            found["state"] = apart(found["state"], static)
            script.attributes["body"] = json.dumps(found).replace("</", "<\\/")


def tidy(site: pathlib.Path) -> None:
    """Remove what no page of the site loads any more."""
    pages = [*(site / "book").glob("*.html"), *(site / "_static").glob("lab.js")]
    used = {name for page in pages for name in NAMED.findall(page.read_text(encoding="utf-8"))}
    for path in (site / "_static" / FOLDER).glob("*.js"):
        if path.stem not in used:
            path.unlink()
