"""What a panel knows of a chapter: the fields that it is about, presets, stored trials. No torch."""

import json
import pathlib

from sifting.config import SETTINGS, Setting
from sifting.publish import asked, plans, settings, sources, trials
from sifting.publish.pages.outputs import record
from sifting.publish.pages.tried import drawn, page_of, said

HOME = pathlib.Path(__file__).parent
WIDGETS = HOME.parents[1] / "widgets"  # whose controls the panel has, too
SCRIPTS = *(WIDGETS / name for name in ("numbers.js", "parts.js")), HOME / "panel.js"
STYLES = WIDGETS / "explorer.css", HOME / "panel.css"


def script() -> str:
    """The panel as a module of JavaScript."""
    return "\n".join(path.read_text(encoding="utf-8") for path in SCRIPTS)


def style() -> str:
    """The style of the panel."""
    return "\n".join(path.read_text(encoding="utf-8") for path in STYLES)


def field(setting: Setting) -> dict:
    """What the panel says of a setting: its name, what it is, what it takes; choices where there are few."""
    lines = settings.takes(setting)
    takes = "; ".join(": ".join(filter(None, line)) for line in lines)
    choices = list(setting.choices) or ["true", "false"] * (setting.kind is bool)
    return {"name": setting.name, "says": setting.says, "takes": takes, "choices": choices or None}


def facts(chapter: str) -> dict:
    """What the panel of a chapter knows, but its fields' facts and its trials; JSON can hold it.

    own     : preset, seeds and values, as in `stored`, of the book at its defaults
    presets : name, seeds that the panel begins with, and `at`: field -> its value as one types it
    """
    preset, _, seeds = asked.settle(chapter, None, None, None)
    fields = list(plans.ABOUT[chapter])
    usual = asked.default_seeds(chapter)
    presets = [
        {
            "name": name,
            "seeds": seeds if name == preset else usual,
            "at": {field: settings.shown(getattr(plans.base(chapter, name), field)) for field in fields},
        }
        for name in plans.presets(chapter)
    ]
    return {
        "chapter": chapter,
        "own": {"preset": preset, "seeds": seeds, "values": {}},
        "presets": presets,
        "fields": fields,
    }


def stored(chapter: str, book: pathlib.Path, site: str = "") -> list[dict]:
    """Trials of a chapter with a page in the folder `book`. site : address of its pages, if not here."""
    return [
        chosen(made) | {"name": name, "said": said(made), "page": f"{site}{page_of(name)}.html"}
        for name, made in drawn(book).items()
        if made.get("chapter") == chapter
    ]


def chosen(made: dict) -> dict:
    """What one chooses in the panel to have a page: preset, seeds, and values, field -> as one types it."""
    values = {field: settings.shown(_typed(value)) for field, value in made["overrides"].items()}
    return {"preset": made["preset"], "seeds": made["seeds"], "values": values}


def _typed(value):
    return tuple(value) if isinstance(value, list) else value


def write(target: pathlib.Path, book: pathlib.Path) -> None:
    """Write the script that shows panels on the pages of the site, with all that they know."""
    chapters = {}
    for name in sources.chapters():
        with trials.of_the_book():
            chapters[name] = facts(name) | {"trials": stored(name, book)}
        if made := record(book / f"{name}.ipynb"):
            chapters[name]["own"] = chosen(made)
    names = sorted({name for chapter in chapters.values() for name in chapter["fields"]})
    known = {
        "esm": script(),
        "css": style(),
        "fields": {name: field(SETTINGS[name]) for name in names},
        "chapters": chapters,
    }
    begin = f"const SIFTING = {json.dumps(known, sort_keys=True)};\n"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(begin + (HOME / "static.js").read_text(encoding="utf-8"), encoding="utf-8")
