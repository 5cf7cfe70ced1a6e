"""Chapters and what they ask, for `make list`."""

import re
import textwrap

import yaml

from sifting.config import SETTINGS, Config, choose
from sifting.publish import asked, plans, settings, sources
from sifting.publish.forecast import forecast

INDENT = 16


def parts() -> dict[str, list[str]]:
    """Caption of a part of the book -> its chapters, in their order."""
    return {
        caption: chapters
        for caption, names in everything().items()
        if (chapters := [name for name in names if name in plans.GROUPS])
    }


def everything() -> dict[str, list[str]]:
    """The same of all pages but the first."""
    toc = yaml.safe_load((sources.ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return {
        part["caption"]: [entry["file"].removeprefix("book/") for entry in part["chapters"]]
        for part in toc["parts"]
    }


def pages() -> list[str]:
    """Names of all pages but the first, in the order of the book."""
    return [name for names in everything().values() for name in names]


def ordered() -> list[str]:
    """Names of all chapters, in the order of the book."""
    return [name for names in parts().values() for name in names]


def listed() -> str:
    """All chapters, with their titles and what they ask or claim, in plain text."""
    lines = []
    for caption, names in parts().items():
        lines += [caption, *(line for name in names for line in _entry(name)), ""]
    return "\n".join([*lines, "make list chapter=NAME says more of one, and what can be set in it."])


def _entry(name: str) -> list[str]:
    head = f"  {name:<{INDENT - 2}}"
    said = re.split(r"(?<=[.?!]) ", sources.about(name))
    last = next((place for place, one in enumerate(said) if one.endswith("?")), 0)
    return [head + sources.title(name), *_wrapped(" ".join(said[: last + 1]), " " * INDENT)]


def _wrapped(text: str, before: str) -> list[str]:
    return textwrap.wrap(text, settings.WIDTH, initial_indent=before, subsequent_indent=before)


def told(name: str) -> str:
    """All about a chapter: what it asks, what its page shows, what can be set; in plain text.

    Raises ValueError for another name, with those that there are.
    """
    choose("chapter", name, sources.chapters())
    preset, base, seeds = asked.settle(name, None, None, None)
    stored = asked.stored_seeds(name, base) >= seeds
    shows = f"preset {preset}, {seeds} seed{'s' * (seeds > 1)}" + ", which is not computed yet" * (not stored)
    shows += f"; a trial has {asked.default_seeds(name)} unless seeds= says otherwise"
    about = {field: settings.shown(getattr(base, field)) for field in plans.ABOUT[name]}
    others = [field for field in SETTINGS if name in settings.readers(field) and field not in about]
    wide = max(map(len, about))
    found = {
        "page": [("", shows)],
        "about": [(f"{field:<{wide}} = {value}", SETTINGS[field].says) for field, value in about.items()],
        "can be set": [("", ", ".join(others) + "; see make help field=NAME")],
        "presets": [(preset, _time(name, preset, seeds)) for preset in plans.presets(name)],
        "try": [("", f'make chapter={name} preset=smoke set="{_first(name, base)}"')],
    }
    head = f"{name}: {sources.title(name)}"
    return "\n".join([head, "", *_wrapped(sources.about(name), "  "), "", *settings.columns(found)])


def _first(name: str, base: Config) -> str:
    """A setting that can be tried: the first number that the chapter is about, halved."""
    field = next(field for field in plans.ABOUT[name] if type(getattr(base, field)) in (int, float))
    return f"{field}={getattr(base, field) // 2 or getattr(base, field) / 2:g}"


def _time(name: str, preset: str, seeds: int) -> str:
    """How long a chapter takes from nothing at that preset."""
    ahead = forecast(name, plans.base(name, preset), seeds, fresh=True)
    meant = "; meant for a GPU" * (preset in ("gpu", "paper"))
    return f"{ahead.time} on {ahead.where} from nothing, with {seeds} seed{'s' * (seeds > 1)}{meant}"
