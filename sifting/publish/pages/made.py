"""The page *How it was made*: every stored result behind a figure, and how to make it anew."""

import collections
import dataclasses
import functools
import hashlib
import pathlib
from html import escape

from sifting import store
from sifting.config import FAMILIES, Config, changed
from sifting.publish.pages.outputs import figure_link
from sifting.results.history import History


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
    seconds = sum(run.provenance["wall_seconds"] for run in runs)
    text = [
        "# How it was made",
        f"The figures are drawn from {len(own)} stored results, which took {_time(seconds)} of computing. "
        "A result is named after what it is and twelve hexadecimal digits of a hash of its configuration, "
        "so that equal settings find it again and different ones cannot. Below stands, for each, what it "
        "takes to make it anew. Whole chapters are computed anew by `make chapter=NAME preset=NAME "
        "fresh=1`.",
    ]
    if more := len(uses) - len(own):
        text.append(f"{more} more, of your trials, stand among them.")
    for (kind, config), runs in sorted(
        groups.items(), key=lambda item: (item[0][0] != "ticket", str(item[0][1]))
    ):
        outputs = {name: output for run in runs for name, output in uses[run.name].items()}
        preset = next(iter(outputs.values()))["preset"]
        text.append(_result(kind, config, sorted(runs, key=lambda run: run.config.seed), outputs, preset))
    return "\n\n".join(text) + "\n"


def _result(kind: str, config: Config, runs: list[History], outputs: dict, preset: str) -> str:
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
    title = ", ".join(
        [f"{kind.capitalize()}, {preset} preset"] + [f"{name} {value}" for name, value in other.items()]
    )
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
    command = f"make verify result={runs[0].name}"
    return "\n".join(
        [
            f"## {title}\n",
            f"Drawn in {figures}. Computed with {versions}. To compute one again and compare it, array by "
            "array:\n",
            f"```bash\n{command}\n```\n",
            '<div class="scroll" tabindex="0" role="region" aria-label="Stored results">'
            '<table class="results">',
            f"<thead><tr>{head}</tr></thead><tbody>",
            *(_row(run) for run in runs),
            "</tbody></table></div>\n",
            f"<details><summary>Every setting; the first {len(apart.keys() - {'seed'})} differ from the "
            "defaults</summary>",
            '<table class="fields"><tbody>',
            *fields,
            "</tbody></table></details>",
        ]
    )


def _row(run: History) -> str:
    made = run.provenance
    cells = [
        f"<code>{run.name}</code>",
        f"<code>{made['commit']}</code>",
        made["date"][:10],
        escape(made["device"]),
        run.engine,
        _time(made["wall_seconds"]),
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
