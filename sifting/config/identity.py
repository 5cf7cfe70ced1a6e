"""What names a result, and what names the parts that results have in common."""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable

from sifting.config.fields import FIELDS, Config
from sifting.config.setting import Setting, choose, settings

SEEDS = 1000  # of a chapter or a run: each is a run of its own, and more is a slip of the finger


def parse(text: str) -> dict:
    """Fields from a command line, as `"lr=0.05 widths=512,512"`; values are checked by Config."""
    fields = {}
    for word in text.split():
        name, equals, value = word.partition("=")
        if not equals:
            raise ValueError(f'cannot read {word!r}; write set="name=value name=value"')
        choose("parameter", name, FIELDS)
        if name in fields:
            raise ValueError(f"{name} is given twice")
        fields[name] = value
    return fields


def changed(config: Config) -> dict:
    """The fields of `config` that differ from the defaults."""
    known = settings(type(config))
    return {name: getattr(config, name) for name in known if getattr(config, name) != known[name].default}


def unread(config: Config) -> dict[str, str]:
    """The fields among these that have no effect, each with the reason, as {"width": "model fcn"}."""
    known, values = settings(type(config)), vars(config)
    reasons = {name: known[name].unread(values) for name in changed(config)}
    return {name: reason for name, reason in reasons.items() if reason}


def apart_from(config: Config, names: Iterable[str]) -> Config:
    """`config` with the fields of those names at their defaults."""
    known, others = settings(type(config)), changed(config)
    back = {name: known[name].default for name in names if name in others}
    return dataclasses.replace(config, **back) if back else config


def without(config: Config, where: Callable[[Setting], bool]) -> Config:
    """`config` apart from its settings of which `where` is true."""
    return apart_from(config, [name for name, one in settings(type(config)).items() if where(one)])


def images_of(config: Config) -> Config:
    """`config` apart from all that is not of images: who loads images sees this alone.

    So it names whatever depends on nothing but images and their labels.
    """
    return without(config, lambda setting: setting.of != "images")


def dense_of(config: Config) -> Config:
    """`config` apart from all that acts later: who trains the dense network sees this alone.

    So it names the dense network that runs have in common.
    """
    return without(config, lambda setting: setting.later)


def key(config: Config) -> str:
    """Twelve hexadecimal digits that name the results of `config`."""
    text = json.dumps(changed(config), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def seeds(config: Config, count: int) -> list[Config]:
    """`count` copies of `config` that differ in their seed: config.seed, config.seed + 1, ..."""
    check_seeds(count)
    return [dataclasses.replace(config, seed=config.seed + n) for n in range(count)]


def check_seeds(count: int) -> None:
    """Raise ValueError for what is no number of seeds."""
    if not isinstance(count, int) or count < 1:
        raise ValueError(f"seeds must be a whole number, 1 or more, not {count!r}")
    if count > SEEDS:
        raise ValueError(f"seeds must be at most {SEEDS:,}, not {count:,}")
