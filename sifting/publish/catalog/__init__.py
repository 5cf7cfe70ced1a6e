"""What the papers show and say: figures, tables, statements that are tested; no torch."""

import functools
import pathlib
import re
import tomllib
from dataclasses import dataclass
from math import inf, isfinite, isnan, nan

from sifting.publish.catalog.figures import DIFFERS, FIGURES, PAPERS

HERE = pathlib.Path(__file__).parent

__all__ = [
    "DESIGNS", "DIFFERS", "FIGURES", "PAPERS", "Finding", "Statement", "findings", "statement", "statements",
]  # fmt: skip

# how a statement is tested, see claims.check -> in words
DESIGNS = {
    "one sample": "one effect a run, against the bound",
    "paired": "differences run by run, of networks that come of one dense network",
    "two samples": "difference of the means of independent networks, with a common variance",
    "units": "one value with its error over units, classes or methods",
    "exact": "one number without error",
}


@dataclass(frozen=True)
class Statement:
    """A statement, and where the effect that tests it lies if it is so.

    id           : of the figure or table that it is about, or for one of our own a name with a hyphen
    name         : what it is called there
    text         : the statement, a sentence that can be read by itself
    paper        : what the paper has, in short; quote: its own words; place: where they stand
    effect       : what is measured, in words; unit: its unit, "" for a plain number
    above, below : the statement says that the effect lies between them; why : why they are where they are
    least, most  : smallest and largest value that the effect can have, where an interval ends
    design       : one of DESIGNS; arms : the groups of the chapter whose runs are compared, where the design
                   compares any: whether they come of one dense network says their configuration
    over         : what an interval is over, where it is not over seeds
    images       : whether the interval is over test images, too
    value        : the same effect in the paper, nan where it does not print what that takes; value_from : how
                   and where it stands there
    """

    id: str
    name: str
    text: str
    paper: str
    effect: str
    quote: str = ""
    place: str = ""
    unit: str = ""
    above: float = -inf
    below: float = inf
    least: float = -inf
    most: float = inf
    why: str = ""
    design: str = "one sample"
    arms: tuple[str, ...] = ()
    over: str = ""
    images: bool = False
    value: float = nan
    value_from: str = ""

    @property
    def key(self) -> str:
        """ID.NAME, under which it stands in the catalog."""
        return f"{self.id}.{self.name}"

    @property
    def own(self) -> bool:
        """Whether it is ours, and no paper's."""
        return "-" in self.id

    @property
    def printed(self) -> str:
        """The same effect in the paper with its unit, in words; "" where it does not print enough."""
        if isnan(self.value):
            return ""
        unit = self.unit.removesuffix("s") if abs(self.value) == 1 else self.unit
        return f"{number(self.value)} {unit}".rstrip()

    @property
    def theirs(self) -> str:
        """What the paper has, and its own number by the statistic of the test, where it prints enough."""
        return self.paper + (f"; by our statistic: {self.printed}" if self.printed else "")

    @property
    def wanted(self) -> str:
        """Where the effect lies if the statement holds, in words; and why there, where that is said."""
        above, below = number(self.above), number(self.below)
        if isfinite(self.above) and isfinite(self.below):
            where = f"between {above} and {below}"
        else:
            where = f"above {above}" if isfinite(self.above) else f"below {below}"
        return f"{where}; {self.why}" if self.why else where


def number(value: float) -> str:
    """A number as the catalog has it, in words."""
    return f"{value:g}".replace("-", "−")


@functools.cache
def statements() -> dict[str, Statement]:
    """All statements by their keys, in the order of the catalog's files: one a paper, and one of our own.

    Raises ValueError, naming the record, for one that says nothing, has an unknown key, or belongs elsewhere.
    """
    found = {}
    for prefix, (stem, *_) in (PAPERS | {"": ("own",)}).items():
        for id, records in tomllib.loads((HERE / f"{stem}.toml").read_text(encoding="utf-8")).items():
            if "-" in id if prefix else "-" not in id:
                raise ValueError(f"{id} of {stem}.toml: only names of our own have a hyphen, as imp-locality")
            if prefix and (id not in FIGURES or not id.startswith(prefix)):
                raise ValueError(f"{stem}.toml: the paper has no figure {id}; see FIGURES")
            for name, record in records.items():
                found[f"{id}.{name}"] = _read(id, name, record)
    return found


def _read(id: str, name: str, record: dict) -> Statement:
    """A record as a statement; an effect in points is between -100 and 100."""
    if not {"above", "below"} & record.keys():
        raise ValueError(f"{id}.{name}: where the effect is to lie is not said: above=, below=")
    if (design := record.get("design", "one sample")) not in DESIGNS:
        raise ValueError(f"{id}.{name}: there is no design {design!r}, only {', '.join(DESIGNS)}")
    if ("value" in record) != ("value_from" in record):
        raise ValueError(f"{id}.{name}: a value of the paper, and where it is from, go together")
    record = record | {"arms": tuple(record.get("arms", ()))}
    if record.get("unit") == "points":
        record = {"least": -100, "most": 100} | record
    try:
        return Statement(id, name, **record)
    except TypeError as error:
        raise ValueError(f"{id}.{name}: {error}") from None


def statement(id: str, name: str) -> Statement:
    """The statement of that name on a figure. Raises ValueError, naming those there are."""
    if (found := statements().get(f"{id}.{name}")) is None:
        names = [one.name for one in statements().values() if one.id == id]
        raise ValueError(f"no statement {name!r} on {id}; there are {', '.join(names) or 'none'}")
    return found


@dataclass(frozen=True)
class Finding:
    """A sentence of what the book says in the end.

    text  : the sentence; {ID.NAME} stands for the effect that was measured for that statement
    tests : key of a statement that it rests on -> the verdict that it takes it to have
    plain : more than the title says, without numbers
    """

    title: str
    text: str
    tests: dict[str, str]
    plain: str = ""


@functools.cache
def findings() -> tuple[Finding, ...]:
    """What the book says in the end, see findings.toml.

    Raises ValueError for an effect that no test of the sentence measures, and for a test of no statement.
    """
    records = tomllib.loads((HERE / "findings.toml").read_text(encoding="utf-8"))["finding"]
    found = tuple(Finding(**record) for record in records)
    for one in found:
        statement_keys = {statement(*key.split(".")).key for key in one.tests}
        if strangers := set(re.findall(r"{([^}]*)}", one.text)) - statement_keys:
            raise ValueError(f"{one.title} {', '.join(sorted(strangers))} is not among its tests")
    return found
