"""What is known of a field of Config: it stands at the field, once, and all else is derived from it."""

import dataclasses
import difflib
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sifting.config import own

# what a setting belongs to, in the order of the settings
GROUPS = ("images", "network", "training", "pruning", "measuring", "seed")
KINDS = {  # type of a setting -> in words
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "a name",
    tuple: "whole numbers, as 512,512",
}
MOST = 10**12  # no number is larger, whatever its range: a slip of the finger, or infinity


def choose(what: str, name: str, choices: Iterable[str]) -> None:
    """Raise ValueError naming `what`, the most similar choice, and all, unless `name` is one of them."""
    if name not in choices:
        known = sorted(map(str, choices))
        near = difflib.get_close_matches(str(name), known, 1, cutoff=0.7)
        meant = f" (did you mean {near[0]}?)" if near else ""
        listed = f"choose from {', '.join(known)}" if known else "there is none"
        raise ValueError(f"unknown {what} {name!r}{meant}; {listed}")


@dataclass(frozen=True)
class Setting:
    """All that is known of one field. What is left out is the safe side: the field matters to everything.

    default  : its type is that of the field; tuples are of whole numbers
    of       : what it belongs to, one of GROUPS; images depend on the fields of images alone
    says     : what it is, in words
    unit     : of its value, in the plural
    low, above, high, below : range of a number, or of the numbers of a tuple: at least, more than, at most,
               less than
    why      : the reason for the range
    choices  : name -> what it means, where a closed list is all there is
    registry : of a name that users can register more of: MODULE:NAME of the dicts that have them. They are
               checked by who uses them
    only, never : other fields -> values of theirs at which this one alone is, or is not, read
    stacks   : networks that are trained together may differ in it, see training.replicas
    later    : it acts only once the dense network has been trained
    results  : kinds of results that read it, where not all do; least: what they need of it
    own      : what of one's own it can name, besides: "network" or "images", see config.own
    compared : there are chapters that compare networks by it
    name     : of the field
    """

    default: Any
    of: str
    says: str
    unit: str = ""
    low: float | None = None
    above: float | None = None
    high: float | None = None
    below: float | None = None
    why: str = ""
    choices: Mapping[str, str] = dataclasses.field(default_factory=dict)
    registry: tuple[str, ...] = ()
    only: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    never: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    stacks: bool = False
    later: bool = False
    results: tuple[str, ...] = ()
    least: float | None = None
    own: str = ""
    compared: bool = False
    name: str = ""

    def __post_init__(self):
        choose("group of settings", self.of, GROUPS)

    @functools.cached_property
    def kind(self) -> type:
        """The type of its values."""
        return type(self.default)

    @functools.cached_property
    def range(self) -> str:
        """The numbers that it takes, in words, as "between 4 and 512 pixels"; empty for other settings."""
        if self.kind not in (int, float, tuple):
            return ""
        match self.low, self.above, self.high, self.below:
            case low, None, None, None:
                words = f"{low:,} or more"
            case low, None, high, None:
                words = f"between {low:,} and {high:,}"
            case low, None, None, below:
                words = f"at least {low:,} and below {below:,}"
            case None, above, high, None:
                words = f"above {above:,} and at most {high:,}"
            case None, above, None, below:
                words = f"above {above:,} and below {below:,}"
        if self.kind is tuple:
            return f"one or more numbers of {self.unit}, each {words}"
        return f"{words} {self.unit}".rstrip()

    def read(self, value: Any) -> Any:
        """`value` in the setting's own type: 512 and "512,512" are widths, "yes" is no bool.

        Raises ValueError, naming the field and what it takes, for values that it cannot have.
        """
        try:
            value = value if type(value) is self.kind is not tuple else self._typed(value)
        except (KeyError, OverflowError, TypeError, ValueError):
            raise ValueError(f"{self.name} takes {KINDS[self.kind]}, not {value!r}") from None
        if self.own:
            value = own.stamp(value, self.own == "images")
        elif self.choices:
            choose(self.name, value, self.choices)
        elif self.range:
            self._check(value)
        return value

    def unread(self, values: Mapping[str, Any]) -> str:
        """Why it has no effect beside those values of others, as "model lenet"; empty where it has one."""
        for name, wanted in self.only.items():
            if _named(values[name]) not in wanted:
                return f"{name} {values[name]}"
        for name, unwanted in self.never.items():
            if _named(values[name]) in unwanted:
                return f"{name} {values[name]}"
        return ""

    def _typed(self, value):
        if self.kind is tuple:
            parts = value.replace(",", " ").split() if isinstance(value, str) else value
            return tuple(map(_whole, [parts] if isinstance(parts, int) else parts))
        if self.kind is bool:
            return {"true": True, "1": True, "false": False, "0": False}[str(value).lower()]
        return (_whole if self.kind is int else self.kind)(value)

    def _check(self, value):
        numbers = value if self.kind is tuple else (value,)
        if not numbers or not all(map(self._within, numbers)):
            most = self.high is self.below is None and max(numbers, default=0) > MOST
            takes = f"at most {MOST:,}" if most else self.range
            raise ValueError(f"{self.name} must be {takes}, not {value}" + f": {self.why}" * bool(self.why))

    def _within(self, number) -> bool:
        return (
            (self.low is None or number >= self.low)
            and (self.above is None or number > self.above)
            and (self.high is None or number <= self.high)
            and (self.below is None or number < self.below)
            and number <= MOST  # and a number at all
        )


def _named(value):
    """A value as `only` and `never` have it: all networks and images of one's own are one there."""
    return own.CODE if isinstance(value, str) and own.is_own(value) else value


def _whole(value) -> int:
    if isinstance(value, bool) or not float(value).is_integer():
        raise ValueError
    return int(float(value))


def field(default: Any, **facts: Any) -> Any:
    """A field of a dataclass with that default, and what is known of it: see Setting."""
    return dataclasses.field(default=default, metadata={"setting": Setting(default, **facts)})


@functools.cache
def settings(kind: type) -> Mapping[str, Setting]:
    """All that is known of the fields of a Config, by their names, in their order."""
    return {
        item.name: dataclasses.replace(item.metadata["setting"], name=item.name)
        for item in dataclasses.fields(kind)
    }
