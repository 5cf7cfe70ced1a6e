"""Writes the pages that are computed: coverage, claims, how fast, how it was made, reference. No torch.

What the chapters drew and checked is read from the outputs of the executed notebooks, where
`page.Page` recorded it; nothing on these pages is typed by hand.
"""

import collections
import dataclasses
import functools
import hashlib
import json
import pathlib
from html import escape

import nbformat

from sifting import speed, store
from sifting.catalog import FIGURES, PAPERS
from sifting.claims import VERDICTS
from sifting.config import PRESETS, Config, changed
from sifting.history import History
from sifting.page import SMOKE
from sifting.reference import reference

DRAWN = "shown"  # the verdict of a figure that is drawn and about which nothing is claimed


def write(book: pathlib.Path) -> None:
    """Write all computed pages of the book; a page that stays the same is left alone."""
    shown = outputs(book)
    texts = {
        "coverage": coverage_page(shown),
        "claims": claims_page(shown),
        "speed": speed.speed_page(store.root() / "bench.json"),
        "provenance": provenance_page(shown),
        "reference": reference(),
    }
    for name, text in texts.items():
        path = book / f"{name}.md"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def write_coverage(book: pathlib.Path, target: pathlib.Path) -> None:
    """Write the coverage as JSON: a list of {id, status, chapter, preset, dataset, verdict}."""
    target.write_text(json.dumps(coverage(outputs(book)), indent=1) + "\n", encoding="utf-8")


def record(notebook: pathlib.Path) -> dict:
    """What the runner wrote into an executed notebook: stamp, chapter, preset, seeds; {} where there is none."""
    return nbformat.read(notebook, 4).metadata.get("sifting", {}) if notebook.exists() else {}


def outputs(book: pathlib.Path) -> list[dict]:
    """What each output of the executed chapters records, in the order of the book, with its chapter."""
    found = []
    for path in sorted(book.glob("*.ipynb")):
        if path.name.startswith(".") or path.name.endswith(".failed.ipynb"):
            continue
        for cell in nbformat.read(path, 4).cells:
            for output in cell.get("outputs", []):
                if "sifting" in (metadata := output.get("metadata", {})):
                    found.append(metadata["sifting"] | {"chapter": path.stem})
    return found


def claims_of(shown: list[dict]) -> list[dict]:
    """The claims among the outputs, each with its chapter."""
    return [output["claim"] | {"chapter": output["chapter"]} for output in shown if "claim" in output]


def coverage(shown: list[dict]) -> list[dict]:
    """One row for every figure and table of the papers.

    status  : reproduced where a chapter drew it, else "not yet"
    verdict : the worst verdict of its claims; "shown" where nothing is claimed; None where it is not drawn
    """
    papers = [output for output in shown if not output.get("own")]
    drawn = {output["figure"]: output for output in reversed(papers) if "figure" in output}
    verdicts = collections.defaultdict(list)
    for claim in claims_of(shown):
        verdicts[claim["id"]].append(claim["verdict"])
    strangers = sorted(name for name in {*drawn, *verdicts} - {*FIGURES} if "-" not in name)  # ours have one
    if strangers:
        raise ValueError(f"the papers have no figure {', '.join(strangers)}; see sifting/catalog.py")
    rows = []
    for name in FIGURES:
        where = {key: drawn.get(name, {}).get(key) for key in ("chapter", "preset", "dataset")}
        verdict = min(verdicts[name], key=VERDICTS.index) if verdicts[name] else DRAWN
        rows.append(
            {"id": name, "status": "reproduced" if name in drawn else "not yet"}
            | where
            | {"verdict": verdict if name in drawn else None}
        )
    return rows


def _warning(shown: list[dict]) -> list[str]:
    """A line that says so where a chapter was made to test that it runs, and not to be read."""
    chapters = sorted({output["chapter"] for output in shown if output.get("preset") == "smoke"})
    return [f'<p class="warning">{", ".join(chapters)}: {SMOKE}</p>'] * bool(chapters)


def badge(verdict: str) -> str:
    """A verdict in words, in its colour."""
    return f'<span class="verdict {verdict.replace(" ", "-")}">{verdict}</span>'


def figure_link(name: str, chapter: str, text: str = "") -> str:
    """A link to a figure in its chapter."""
    return f'<a href="{chapter}.html#{name}">{text or name}</a>'


def by_paper(rows: list[dict]):
    """(name of the paper, key of its reference, its rows) for each paper, by the IDs of the rows."""
    for prefix, (cite, authors, _) in PAPERS.items():
        yield authors, cite, [row for row in rows if row["id"].startswith(prefix)]


def coverage_page(shown: list[dict]) -> str:
    """Coverage: every figure and table, where it is reproduced, and what became of what it claims."""
    rows = coverage(shown)
    text = [
        "# Coverage",
        *_warning(shown),
        f"{_done(rows)} figures and tables of the four papers are in the book. A figure counts once all of its panels are "
        "drawn by a chapter from results of our own; its verdict is the worst one of its [claims](claims.md). The same list "
        'for machines: <a href="../coverage.json"><code>coverage.json</code></a>.',
        _mesh(rows),
    ]
    for authors, cite, mine in by_paper(rows):
        items = "\n".join(_covered(row) for row in mine)
        text += [f"## {authors}", f"{_done(mine)} are in the book {{cite:p}}`{cite}`."]
        text += [f'<ul class="coverage">\n{items}\n</ul>']
    return "\n\n".join(text) + "\n"


def _covered(row: dict) -> str:
    name = f"<code>{row['id']}</code> {escape(FIGURES[row['id']])}"
    if not row["chapter"]:
        return f'<li><span>{name}</span><span class="verdict">not yet</span></li>'
    link = figure_link(row["id"], row["chapter"], name)
    return f'<li class="done">{link}<small>{_where(row)}</small>{badge(row["verdict"])}</li>'


def _where(row: dict) -> str:
    """Chapter, preset and data of a figure or claim."""
    return " · ".join(filter(None, (row["chapter"], row["preset"], row["dataset"])))


def _done(rows: list[dict]) -> str:
    return f"{sum(row['status'] == 'reproduced' for row in rows)} of {len(rows)}"


def _mesh(rows: list[dict]) -> str:
    """One square a figure, filled where it is reproduced: the sieve, for the eye only."""
    squares = (f'<i class="{(row["verdict"] or "not-yet").replace(" ", "-")}"></i>' for row in rows)
    return f'<div class="mesh" aria-hidden="true">{"".join(squares)}</div>'


def claims_page(shown: list[dict]) -> str:
    """Claims: each statement tested, the paper's value, ours with its interval, the verdict."""
    claims = claims_of(shown)
    ours = [claim for claim in claims if "-" in claim["id"]]
    papers = [claim for claim in claims if "-" not in claim["id"]]
    counts = collections.Counter(claim["verdict"] for claim in papers)
    words = {"holds": "hold", "unclear": "are unclear", "does not hold": "do not hold"}
    tally = (
        ", ".join(f"{counts[verdict]} {word}" for verdict, word in words.items() if counts[verdict])
        or "none yet"
    )
    text = [
        "# Claims",
        *_warning(shown),
        f"{len(papers)} statements of the papers were tested: {tally}; and {len(ours)} of our own. A statement *holds* where the whole 95 % interval of "
        "our effect lies where the statement says, *does not hold* where the whole interval lies elsewhere, and is *unclear* "
        "where the interval has some of both. The interval is over seeds unless it says otherwise. "
        "Every test stands for itself: the intervals are not widened for their number, and of twenty true statements of no effect one would be called wrong by chance.",
    ]
    for authors, _, mine in [*by_paper(papers), ("Of our own", None, ours)]:
        if mine:
            text += [f"## {authors}", "\n".join(_claim(claim) for claim in mine)]
    return "\n\n".join(text) + "\n"


def _claim(claim: dict) -> str:
    here = (
        f"{escape(claim['effect'])}: <strong>{escape(claim['ours'])}</strong> "
        f"<small>to hold: {claim['wanted']} · {_where(claim)}</small>"
    )
    return (
        f'<div class="claim {claim["verdict"].replace(" ", "-")}"><p>{badge(claim["verdict"])} '
        f"{figure_link(claim['id'], claim['chapter'])}: {escape(claim['statement'])}</p>"
        f"<dl><dt>the paper</dt><dd>{escape(claim['paper'])}</dd><dt>here</dt><dd>{here}</dd></dl></div>"
    )


def seedless(config: Config) -> Config:
    """The same configuration for all seeds."""
    return dataclasses.replace(config, seed=0)


def provenance_page(shown: list[dict]) -> str:
    """How it was made: every stored result that a figure is drawn from, seeds of one configuration together."""
    uses = collections.defaultdict(dict)  # result -> figure -> the output that shows it
    for output in shown:
        for name in output.get("results", []):
            uses[name].setdefault(output["figure"], output)
    groups = collections.defaultdict(list)
    for name in uses:
        run = store.named(name)
        run.check()
        groups[run.kind, seedless(run.config)].append(run)
    seconds = sum(run.provenance["wall_seconds"] for runs in groups.values() for run in runs)
    text = [
        "# How it was made",
        f"The figures are drawn from {len(uses)} stored results, which took {_time(seconds)} of computing. A result is named "
        "after what it is and twelve hexadecimal digits of a hash of its configuration, so that equal settings find it "
        "again and different ones cannot. Below stands, for each, what it takes to make it anew. Whole chapters are computed "
        "anew by `make chapter=NAME preset=NAME fresh=1`.",
    ]
    for (kind, config), runs in sorted(
        groups.items(), key=lambda item: (item[0][0] != "ticket", str(item[0][1]))
    ):
        outputs = {name: output for run in runs for name, output in uses[run.name].items()}
        preset = next(iter(outputs.values()))["preset"]
        text.append(_result(kind, config, sorted(runs, key=lambda run: run.config.seed), outputs, preset))
    return "\n\n".join(text) + "\n"


def _result(kind: str, config: Config, runs: list[History], outputs: dict, preset: str) -> str:
    base = PRESETS[preset]
    other = {f.name: getattr(config, f.name) for f in dataclasses.fields(config) if f.name != "seed"}
    other = {name: value for name, value in other.items() if value != getattr(base, name)}
    title = ", ".join(
        [f"{kind.capitalize()}, {preset} preset"] + [f"{name} {value}" for name, value in other.items()]
    )
    head = ("seed", "result", "commit", "date", "device", "time", "memory", "size", "SHA-256")
    head = "".join(f'<th scope="col">{name}</th>' for name in head)
    made_with = [run.provenance["versions"].items() for run in runs]
    versions = " · ".join(
        sorted({f"{name} {version}" for versions in made_with for name, version in versions})
    )
    figures = ", ".join(figure_link(name, outputs[name]["chapter"]) for name in outputs)
    apart = changed(config)
    fields = [
        f'<tr{"" if name in apart else " class=default"}><th scope="row"><code>{name}</code></th><td>{value}</td></tr>'
        for name, value in sorted(dataclasses.asdict(config).items(), key=lambda item: item[0] not in apart)
        if name != "seed"
    ]
    command = f"make verify result={runs[0].name}"
    return "\n".join(
        [
            f"## {title}\n",
            f"Drawn in {figures}. Computed with {versions}. To compute one again and compare it, array by array:\n",
            f"```bash\n{command}\n```\n",
            '<div class="scroll" tabindex="0" role="region" aria-label="Stored results"><table class="results">',
            f"<thead><tr>{head}</tr></thead><tbody>",
            *(_row(run) for run in runs),
            "</tbody></table></div>\n",
            f"<details><summary>Every setting; the first {len(apart.keys() - {'seed'})} differ from the defaults</summary>",
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
