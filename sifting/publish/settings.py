"""What there is to say of every setting, for `make help field=NAME` and the page *Settings*. No torch."""

import contextlib
import dataclasses
import difflib
import functools
import importlib
import pkgutil
import textwrap
from collections.abc import Callable
from typing import Any

from sifting.config import FAMILIES, FIELDS, GROUPS, SETTINGS, Config, Setting, unread
from sifting.config.own import FORMS
from sifting.config.setting import KINDS
from sifting.publish import plans

Line = tuple[str, str]  # its head, which may be empty, and its words
WIDTH = 100  # characters of a line of help
PRESET = "laptop"  # that chapters are planned at, to see what they read


def told(name: str) -> str:
    """All about one setting, in plain text; of all of them, a line each, for the name all.

    Raises ValueError for another name, with the one that may be meant and all that there are.
    """
    if name == "all":
        return "\n\n".join("\n".join([group, *map(_line, members(group))]) for group in GROUPS)
    if name not in SETTINGS:
        fields = ", ".join(sorted(FIELDS))
        raise ValueError(
            f"unknown field {name!r} (did you mean {meant(name)}?); choose from {fields}, or all"
        )
    setting = SETTINGS[name]
    parts = {"default": [("", shown(setting.default))], "belongs to": [("", setting.of)]}
    return "\n".join([f"{name}: {setting.says}", *columns(parts | known(setting, look=True))])


@functools.cache
def classes(images: Config) -> int:
    """How many classes there are in a task."""
    class_names = pkgutil.resolve_name("sifting.data.tasks:class_names")  # which needs torch
    return len(class_names(images))


def known(setting: Setting, write: Callable[[str], str] = str, look: bool = False) -> dict[str, list[Line]]:
    """What there is to know of a setting: title -> lines, each with its head, which may be empty.

    write : what a chapter is written as; look : into registries, which may import torch
    """
    parts = {"takes": takes(setting, look), "presets": presets(setting.name)}
    parts |= {"chapters": [("", said(readers(setting.name), write))], "note": notes(setting)}
    return {title: lines for title, lines in parts.items() if lines}


def columns(parts: dict[str, list[Line]]) -> list[str]:
    """Lines of help, with titles, heads and words below each other."""
    found = []
    for title, lines in parts.items():
        width = max(len(head) + 2 * bool(head) for head, _ in lines)
        for number, (head, words) in enumerate(lines):
            before = f"  {title * (number == 0):<12}{head:<{width}}"
            found += textwrap.wrap(words, WIDTH, initial_indent=before, subsequent_indent=" " * len(before))
    return found


def _line(setting: Setting) -> str:
    return f"  {setting.name:<15} {shown(setting.default):<15} {setting.says}"


def members(group: str) -> list[Setting]:
    """The settings that belong to a group."""
    return [setting for setting in SETTINGS.values() if setting.of == group]


def meant(name: str) -> str:
    """The setting whose name is most similar to `name`, or which is explained by its words."""

    def likeness(other):
        said = name.replace("_", " ") in SETTINGS[other].says
        return difflib.SequenceMatcher(None, name, other).ratio() + said

    return max(FIELDS, key=likeness)


def shown(value: Any) -> str:
    """A value as one types it: 0.1, 512,512, true."""
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def takes(setting: Setting, look: bool = False) -> list[Line]:
    """What values a setting takes; look : into registries, which may import torch."""
    if setting.choices:
        return list(setting.choices.items())
    if setting.registry and look:
        return [("", ", ".join(registered(setting)))]
    if setting.registry:
        places = [f"{name} of {module}" for module, _, name in places_of(setting)]
        return [("", f"a name in {' or '.join(places)}, see make help field={setting.name}")]
    kind = KINDS[setting.kind]
    words = {tuple: f"{setting.range}; as 512,512", bool: kind}.get(setting.kind, f"{kind}, {setting.range}")
    return [("", f"{words}: {setting.why}" if setting.why else words)]


def registered(setting: Setting) -> list[str]:
    """The names that are registered for a setting now, and the form of those of one's own."""
    modules = [(importlib.import_module(module), name) for module, _, name in places_of(setting)]
    names = [key for module, name in modules for key in getattr(module, name)]
    return [*names, FORMS[setting.own]] if setting.own else names


def places_of(setting: Setting) -> list[tuple[str, str, str]]:
    """Where names of a setting are registered: module, colon, name of a dict in it."""
    return [place.partition(":") for place in setting.registry]


def presets(name: str) -> list[Line]:
    """The values of a setting at the presets of the families of networks that read it.

    Families that agree have one line, and so have presets of a family.
    """
    families = {}  # values in words -> families
    for family, some in FAMILIES.items():
        if not any(SETTINGS[name].unread(vars(config)) for config in some.values()):
            at = {}  # value -> presets
            for place, config in some.items():
                at.setdefault(shown(getattr(config, name)), []).append(place)
            words = [
                f"{value} ({', '.join(places)})" * (len(at) > 1) or value for value, places in at.items()
            ]
            families.setdefault("; ".join(words), []).append(family)
    return [(", ".join(some), words) for words, some in families.items()]


def notes(setting: Setting) -> list[Line]:
    """What else a setting depends on, and what does not depend on it."""
    found = [f"acts only with {name} {' or '.join(values)}" for name, values in setting.only.items()]
    found += [f"does not act with {name} {' or '.join(values)}" for name, values in setting.never.items()]
    found += ["the dense network does not depend on it"] * setting.later
    found += ["networks that are trained together may differ in it"] * setting.stacks
    if setting.results:
        least = "" if setting.least is None else f", which need {setting.least} or more"
        found.append(f"read by results of kind {', '.join(setting.results)}{least}")
    found += ["a chapter whose networks differ in it sets it by itself"] * setting.compared
    return [("", words) for words in found]


def said(chapters: tuple[str, ...], write: Callable[[str], str] = str) -> str:
    """Chapters in few words. write : what one of them is written as."""
    missing = [chapter for chapter in plans.GROUPS if chapter not in chapters]
    if not missing:
        return "all"
    if not chapters:
        return "none; those that need it set it by themselves"
    few = "all but " * (len(missing) < len(chapters))
    return few + ", ".join(map(write, missing if few else chapters))


@functools.cache
def readers(name: str) -> tuple[str, ...]:
    """The chapters that read a setting: those of which another value changes a run."""
    return tuple(chapter for chapter in plans.GROUPS if _reads(chapter, name))


def _reads(chapter: str, name: str) -> bool:
    usual, setting = plans.base(chapter, PRESET), SETTINGS[name]
    for value in others(setting, getattr(usual, name)):
        with contextlib.suppress(ValueError):  # the chapter cannot have that value
            found = dataclasses.replace(usual, **{name: value})
            if setting.compared:
                found = plans.base(chapter, PRESET, {name: value})
            if any(name not in unread(config) for _, config in _planned(chapter, found) - _usual(chapter)):
                return True
    return False


@functools.cache
def _usual(chapter: str) -> set:
    return _planned(chapter, plans.base(chapter, PRESET))


def _planned(chapter: str, base: Config) -> set:
    return set(plans.planned(chapter, base, 1))


def others(setting: Setting, value: Any) -> list[Any]:
    """Some values other than `value` that a setting takes."""
    if setting.kind is bool:
        return [not value]
    if setting.kind is str:
        return [name for name in setting.choices or (f"another {setting.name}",) if name != value]
    if setting.kind is tuple:
        return [tuple(2 * number for number in value)]
    found = []
    half = value // 2 if setting.kind is int else value / 2
    for number in (2 * value, half, value + 1, value + 10_000, 0.5, 0.25, setting.low):
        with contextlib.suppress(TypeError, ValueError):
            found.append(setting.read(number))
    return [number for number in dict.fromkeys(found) if number != value]
