"""The page *How it was made*: every stored result behind a figure, and how to make it anew."""

import collections
import dataclasses
import functools
import hashlib
import pathlib
import re
from html import escape

from sifting import store
from sifting.config import FAMILIES, Config, changed
from sifting.publish.markup import chooser
from sifting.publish.pages.outputs import figure_link
from sifting.results.history import History

CHOICES = {name: {"all": f"all {name}s"} for name in ("kind", "chapter", "preset", "dataset")}
ORDERS = {
    "by kind": None,
    "by time, longest first": ["seconds", -1],
    "by size, largest first": ["size", -1],
    "by date, newest first": ["date", -1],
}
HEAD = (
    '<li class="head" aria-hidden="true"><span><span>what, and where it differs from its preset</span>'
    "<span>chapters</span><span>seeds</span><span>time</span><span>size</span><span>date</span></span></li>"
)
WIDE = "---\nhtml_theme.sidebar_secondary.remove: true\n---\n"  # a page without a list of its sections


def seedless(config: Config) -> Config:
    """The same configuration for all seeds."""
    return dataclasses.replace(config, seed=0)


def provenance_page(shown: list[dict], tried: list[dict] = ()) -> str:
    """How it was made: every stored result behind a figure, seeds of one configuration together.

    tried : outputs of trials; their results are listed, too, and not counted
    """
    uses = collections.defaultdict(dict)  # result -> figure -> the output that shows it
    for output in [*shown, *tried]:
        for name in output.get("results", []):
            uses[name].setdefault(output["figure"], output)
    groups = collections.defaultdict(list)
    for name, outputs in uses.items():
        try:
            run = store.named(name)
        except FileNotFoundError as error:
            chapter = next(iter(outputs.values()))["chapter"]
            raise FileNotFoundError(
                f"{error}, which the page {chapter} was drawn from; make chapter={chapter} draws it anew, "
                "from the results that $SIFTING_RESULTS names, or those of the book"
            ) from None
        run.check()
        groups[run.kind, seedless(run.config)].append(run)
    own = {name for output in shown for name in output.get("results", [])}
    runs = [run for alike in groups.values() for run in alike if run.name in own]
    seconds = sum(run.seconds for run in runs)
    text = [
        WIDE + "# How it was made",
        f"The figures are drawn from {len(own)} stored results, which took {_time(seconds)} of computing. "
        "A result is named after what it is and twelve hexadecimal digits of a hash of its configuration, "
        "so that equal settings find it again and different ones cannot. A row is one configuration with all "
        "its seeds; it opens, and shows every setting and what it takes to make the result anew. Whole "
        "chapters are computed anew by `make chapter=NAME preset=NAME fresh=1`.",
    ]
    if more := len(uses) - len(own):
        text.append(f"{more} more, of your trials, stand among them.")
    rows = []
    for (kind, config), runs in sorted(
        groups.items(), key=lambda item: (item[0][0] != "shown", str(item[0][1]))
    ):
        outputs = {name: output for run in runs for name, output in uses[run.name].items()}
        preset = next(iter(outputs.values()))["preset"]
        rows.append(_result(kind, config, sorted(runs, key=lambda run: run.config.seed), outputs, preset))
    text += [chooser("configurations", CHOICES, ORDERS, find=True)]
    opening = '<ul class="claims made-of choosable" role="list" aria-label="Stored results">'
    text += ["".join([opening, HEAD, *rows, "</ul>"])]
    return "\n\n".join(text) + "\n"


def _result(kind: str, config: Config, runs: list[History], outputs: dict, preset: str) -> str:
    """A row: what was computed, for which chapters, how long it took; opened, all there is to know of it."""
    names = [f.name for f in dataclasses.fields(config) if f.name != "seed"]
    apart = [
        {
            name: getattr(config, name)
            for name in names
            if getattr(config, name) != getattr(family[preset], name)
        }
        for family in FAMILIES.values()
    ]
    other = min(apart, key=len)  # of the family that it is of
    differs = ", ".join(f"{name} {_value(value)}" for name, value in other.items()) or "as the preset"
    head = ("seed", "result", "commit", "date", "device", "engine", "time", "memory", "size", "SHA-256")
    head = "".join(f'<th scope="col">{name}</th>' for name in head)
    made_with = [run.provenance["versions"].items() for run in runs]
    versions = " · ".join(
        sorted({f"{name} {version}" for versions in made_with for name, version in versions})
    )
    figures = ", ".join(figure_link(name, outputs[name]["chapter"]) for name in outputs)
    apart = changed(config)
    ordered = sorted(dataclasses.asdict(config).items(), key=lambda item: item[0] not in apart)
    fields = [
        f"<tr{'' if name in apart else ' class=default'}>"
        f'<th scope="row"><code>{name}</code></th><td>{value}</td></tr>'
        for name, value in ordered
        if name != "seed"
    ]
    chapters = sorted({output["chapter"] for output in outputs.values()})
    seconds = sum(run.seconds for run in runs)
    size = sum(run.path.stat().st_size for run in runs)
    newest = max(run.provenance["date"][:10] for run in runs)
    marks = {"kind": kind, "preset": preset, "dataset": config.dataset, "chapter": "|".join(chapters)}
    marks |= {"seconds": f"{seconds:.0f}", "size": size, "date": re.sub(r"\D", "", newest)}
    cells = [", ".join(chapters), len(runs), _time(seconds), f"{size / 1e6:.1f} MB", newest]
    columns = "".join(f"<span>{cell}</span>" for cell in cells)
    marked = "".join(f' data-{name}="{escape(str(value), quote=True)}"' for name, value in marks.items())
    return "\n".join(
        [
            f"<li{marked}>"
            f'<details><summary><span class="what"><strong>{kind}</strong> {escape(differs)}</span>'
            f"{columns}</summary>",
            f"<p>{kind.capitalize()}, {preset} preset. Drawn in {figures}. Computed with {versions}. To "
            "compute one again and compare it, array by array: "
            f"<code>make verify result={runs[0].name}</code></p>",
            '<div class="scroll" tabindex="0" role="region" aria-label="Stored results">'
            '<table class="results">',
            f"<thead><tr>{head}</tr></thead><tbody>",
            *(_row(run) for run in runs),
            "</tbody></table></div>",
            f"<details><summary>Every setting; the first {len(apart.keys() - {'seed'})} differ from the "
            "defaults</summary>",
            '<table class="fields"><tbody>',
            *fields,
            "</tbody></table></details></details></li>",
        ]
    )


def _value(value) -> str:
    """A setting in few words: numbers without what rounding adds to them."""
    if isinstance(value, float):
        return f"{value:.6g}"
    return "×".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _row(run: History) -> str:
    made = run.provenance
    cells = [
        f"<code>{run.name}</code>",
        f"<code>{made['commit']}</code>",
        made["date"][:10],
        escape(made["device"]),
        run.engine,
        _time(run.seconds),
        f"{made['peak_memory_mb']:,} MB",
        f"{run.path.stat().st_size / 1e6:.1f} MB",
        f"<code>{sha256(run.path)}</code>",
    ]
    cells = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr id="{run.name}"><th scope="row">{run.config.seed}</th>{cells}</tr>'


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


@functools.cache
def _sha256(path: pathlib.Path, when: int, size: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256(path: pathlib.Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    status = path.stat()
    return _sha256(path, status.st_mtime_ns, status.st_size)
