"""The page *Your trials*: chapters at other settings than those of the book, on pages of their own."""

import hashlib
import json
import pathlib
import re
from html import escape

from sifting.publish.pages.outputs import TRIAL, record

SETTINGS = "preset", "seeds", "overrides"  # what makes a trial another
BESIDE = "-beside-"


def name_of(record: dict) -> str:
    """The name of a trial, as dial-0a1b2c: equal settings have equal names.

    Beside another trial it has another: dial-0a1b2c-beside-3d4e5f.
    """
    settings = json.dumps([record[name] for name in SETTINGS], sort_keys=True)
    name = f"{record['chapter']}-{hashlib.sha256(settings.encode()).hexdigest()[:6]}"
    return name + BESIDE + record["beside"].rpartition("-")[2] if "beside" in record else name


def other_of(record: dict) -> str:
    """What a trial stands beside, in words."""
    return f"trial {record['beside']}" if "beside" in record else "the book"


def page_of(name: str) -> str:
    """The name of a trial's page, without its suffix."""
    return TRIAL + name


def drawn(book: pathlib.Path) -> dict[str, dict]:
    """Name -> record of every trial that has a page."""
    files = [file for file in sorted(book.glob(f"{TRIAL}*.ipynb")) if not file.stem.endswith(".failed")]
    return {file.stem.removeprefix(TRIAL): record(file) for file in files}


def command(made: dict) -> str:
    """What draws a trial again."""
    if "beside" in made:
        return f"make compare a={name_of(made).partition(BESIDE)[0]} b={made['beside']}"
    words = ["make", f"chapter={made['chapter']}", *arguments(made)]
    return re.sub(r" set=(.*)", r' set="\1"', " ".join(words))


def arguments(made: dict) -> list[str]:
    """The settings of a trial as words of a command line."""
    words = [f"preset={made['preset']}", f"seeds={made['seeds']}"]
    return words + [f"set={assignments(made['overrides'])}"] * bool(made["overrides"])


def assignments(overrides: dict) -> str:
    """Overrides as one types them: lr=0.05 widths=64,64."""

    def typed(value):
        return ",".join(map(str, value)) if isinstance(value, list) else str(value)

    return " ".join(f"{field}={typed(value)}" for field, value in overrides.items())


def said(made: dict) -> str:
    """Preset, seeds and overrides in words, and what they stand beside if it is not the book."""
    return settings_of(made) + f", beside {other_of(made)}" * ("beside" in made)


def settings_of(made: dict) -> str:
    """Preset, seeds and overrides in words."""
    seeds = f"{made['seeds']} seed{'s' * (made['seeds'] > 1)}"
    return ", ".join(
        filter(None, (f"preset {made['preset']}", seeds, escape(assignments(made["overrides"]))))
    )


def trials_page(book: pathlib.Path) -> str:
    """The page *Your trials*: what there is, and how to make and remove it."""
    found = drawn(book)
    told = (
        "`make forget trial=all` removes all of them, with their results." if found else "There is none yet."
    )
    rows = [
        f"- [{name}]({page_of(name)}.ipynb): {said(made)}. `{command(made)}`; "
        f"`make forget trial={name}` removes it."
        for name, made in found.items()
    ]
    text = [
        "# Your trials",
        "A chapter at other settings has a page of its own, beside that of the book, with both results "
        'together: `make chapter=dial preset=smoke set="lr=0.05"` makes one. The pages of the book stay as '
        "they are. Two trials stand together by `make compare a=... b=...`, with their names from here.",
        "`seeds=4` sets how many runs of each kind there are. Without it, a trial has as many as are stored "
        "of it already, else the chapter's own number, `seeds = N` in its cell of parameters. With one seed "
        "there are no intervals over seeds, and statements that need one are unclear.",
        told,
        "\n".join(rows),
    ]
    return "\n\n".join(text).rstrip() + "\n"
