"""Trials: a chapter at other settings, on a page of its own beside that of the book.

Their results lie apart, and nothing of them is counted on the pages of the book.
"""

import contextlib
import datetime
import hashlib
import html
import json
import pathlib
import re
import shutil
import uuid

import filelock
import nbformat

from sifting import store
from sifting.config import choose, place
from sifting.publish import intervals, notebooks, pages, sources
from sifting.publish.markup import SMOKE
from sifting.publish.pages.outputs import recorded
from sifting.publish.pages.tried import BESIDE, command, drawn, name_of, other_of, page_of, said, settings_of

EQUATION = re.compile(r"(\$\$ \(|{eq}`)([\w-]+)([)`])")  # labels of equations, and what refers to them


def apart():
    """A context in which results are stored with those of trials, and those of the book are read, too."""
    return notebooks.environment({"SIFTING_RESULTS": str(place.of_the_book() / place.TRIALS)})


def of_the_book():
    """A context in which results are those of the book alone, whatever they were outside."""
    return notebooks.environment({"SIFTING_RESULTS": str(place.of_the_book())})


def pair(one: str, other: str, book: pathlib.Path) -> dict:
    """The record of a page that has one trial, and beside it not the book, but another trial.

    Raises ValueError for a trial that there is not, and for trials of two chapters, or one twice.
    """
    found = drawn(book)
    for name in (one, other):
        choose("trial", name, [name for name in found if "beside" not in found[name]])
    if one == other or found[one]["chapter"] != found[other]["chapter"]:
        raise ValueError(f"name two trials of one chapter, not {one} and {other}")
    stamp = hashlib.sha256("".join(found[name]["stamp"] for name in (one, other)).encode()).hexdigest()
    record = found[one] | {"beside": other, "stamp": stamp}
    return record | {"page": page_of(name_of(record))}


# --- the page


def finish(notebook, record: dict, stored: pathlib.Path) -> None:
    """Put at the head of a trial's page what it is, and what became of the statements of the page beside it.

    stored : the page that it stands beside, that of the book or of another trial; it need not be there
    """
    book = pages.record(stored)
    notebook.metadata["orphan"] = True  # Your trials lists it; in the contents it would change every page
    title, _, rest = notebook.cells[0].source.partition("\n")
    head = f"# Trial of {record['chapter']}: {said(record)}"
    told = banner(record, book, stored.stem, title.lstrip("# "))
    notebook.cells[0].source = f"{head}\n\n{told}\n{sources.folded(rest)}"
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = EQUATION.sub(rf"\1\2-{name_of(record)}\3", cell.source)
    shown = recorded(notebook, "")
    mine = by_name(shown)
    theirs = by_name(recorded(nbformat.read(stored, 4), "")) if book else {}
    anchors = {one.get("figure") for one in shown} | {
        one["id"] for one in mine.values() if one["claim"].statement.own
    }
    if mine:
        tells = record["preset"] != "smoke" and record["seeds"] > 1
        text = comparison(mine, theirs, anchors, fold=" open" * tells, other=other_of(record))
        notebook.cells.insert(1, nbformat.v4.new_markdown_cell(text, id="trial-statements"))


def banner(record: dict, other: dict, page: str, title: str) -> str:
    """What a trial of the chapter of that title is, and the page that it stands beside, as HTML."""
    today, name = datetime.date.today().isoformat(), other_of(record)
    there = said(other) if other else "nothing that is drawn"
    place = f"trial {name_of(other)}" if "beside" in record else html.escape(title)
    lines = [
        f"<strong>A trial, not the book:</strong> {settings_of(record)}, where {name} has {there} in "
        f'<a href="{page}.html">{place}</a>. Made on {today}.',
        f"Draw it again: <code>{html.escape(command(record))}</code>. "
        f"Remove it: <code>make forget trial={name_of(record)}</code>.",
    ]
    lines.append(
        "The text between the figures is that of the book, and says what came out there; numbers that are "
        "computed into it are of this trial."
    )
    lines += [SMOKE] * (record["preset"] == "smoke")
    if other:
        lines.append(f"Thin, pale curves are those of {name}; under a figure, that of {name} is folded.")
    return f'<div class="warning trial">{"<br>".join(lines)}</div>\n'


def by_name(shown: list[dict]) -> dict[tuple, dict]:
    """(ID, name) -> claim, of all among the outputs."""
    return {(claim["id"], claim["name"]): claim for claim in pages.claims_of(shown)}


def comparison(
    mine: dict[tuple, dict],
    theirs: dict[tuple, dict],
    anchors: set[str] | None = None,
    page: str = "",
    fold: str = " open",
    other: str = "the book",
) -> str:
    """Every statement as a row, with what became of it in the book and in the trial on one scale; HTML.

    anchors : names on the page to which links can lead; None: all
    page    : its address, where it is another; fold : " open", or ""
    other   : what it stands beside, in words
    """
    rows = []
    for key, claim in mine.items():
        link = f'<a href="{page}#{claim["id"]}">{claim["id"]}</a>'
        if anchors is not None and claim["id"] not in anchors:  # its figure is in another chapter
            link = claim["id"]
        stored = theirs[key]["claim"] if key in theirs else None
        rows.append(intervals.row(claim["claim"], before=link, beside=stored, other=other))
    turned = sum(theirs[key]["verdict"] != claim["verdict"] for key, claim in mine.items() if key in theirs)
    summary, told = "Statements", ""
    if theirs:
        summary = f"{turned} of {len(mine)} verdicts differ from those of {other}{_signs(mine, theirs)}"
        alone = [claim["claim"] for claim in mine.values() if claim["claim"].over.startswith("1 seed")]
        lone = " With one seed a test has no interval over seeds, and its verdict is unclear."
        told = f"Above, in gray: {other}; below: this trial."
        told += lone * any(not claim.interval for claim in alone if claim.verdict == "unclear")
        told = f'<p class="claims-key">{told}</p>'
    listed = intervals.listed(rows, f"Statements, {other} and this trial", style="led")
    return f"<details{fold}><summary>{summary}</summary>{told}{listed}</details>"


def _signs(mine: dict[tuple, dict], theirs: dict[tuple, dict]) -> str:
    """How many effects have another sign, in words; "" for none."""

    def sign(claim) -> int:  # as it is printed: 0.000 has none
        return bool(re.search("[1-9]", claim.value)) * (-1 if claim.value.startswith("−") else 1)

    pairs = [(mine[key]["claim"], theirs[key]["claim"]) for key in mine.keys() & theirs]
    turned = sum(sign(one) * sign(other) < 0 for one, other in pairs)
    return f", {turned} effect{'s have' if turned > 1 else ' has'} another sign" * (turned > 0)


# --- all of them


@contextlib.contextmanager
def wanted(results: list[str]):
    """While the block runs, results of these names stay, though `forget` is asked to remove them.

    They are noted in a file that is locked as long as this process is at it, and lives.
    """
    note = _notes() / f"{uuid.uuid4().hex}.json"
    note.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(note.with_suffix(".lock"), fallback_to_soft=False):
        note.write_text(json.dumps(results), encoding="utf-8")
        try:
            yield
        finally:
            note.unlink()
    note.with_suffix(".lock").unlink(missing_ok=True)  # of a name that nobody else ever takes


def _wanted() -> set[str]:
    """Results that other processes want; notes of processes that are no more are removed."""
    found = set()
    for note in _notes().glob("*.json"):
        lock = filelock.FileLock(note.with_suffix(".lock"), timeout=0, fallback_to_soft=False)
        with contextlib.suppress(FileNotFoundError):  # it has just ended
            try:
                with lock:
                    note.unlink()
            except filelock.Timeout:
                found |= set(json.loads(note.read_text(encoding="utf-8")))
    return found


def _notes() -> pathlib.Path:
    return store.root() / place.TRIALS / ".wanted"


def forget(book: pathlib.Path, name: str, chapter: str = "") -> list[str]:
    """Remove the page of a trial, its figures, and results that no other trial shows; of all, for "all".

    name : of a trial, or of several, with commas between them

    What is being computed, or was interrupted and may go on, is left alone, and so is what a trial that is
    being made will show.

    chapter : of which the trial is, or those are that are removed; default: any
    returns : names of the trials that are no more

    Raises ValueError for a trial that there is not, naming those that there are.
    """
    found = drawn(book)
    of_chapter = [trial for trial, record in found.items() if chapter in ("", record.get("chapter"))]
    for one in () if name == "all" else name.split(","):
        choose("trial", one, [*of_chapter, "all"] if of_chapter else [])
    gone = of_chapter if name == "all" else [*dict.fromkeys(name.split(","))]
    pairs = {one: {one.partition(BESIDE)[0], made.get("beside")} for one, made in found.items()}
    gone += [one for one in found if one not in gone and pairs[one] & {*gone}]
    results = {trial: set(record.get("results", ())) for trial, record in found.items()}
    left = _wanted().union(*(results[trial] for trial in found.keys() - set(gone)))
    for trial in gone:
        for result in results[trial] - left:
            (store.root() / place.TRIALS / f"{result}.npz").unlink(missing_ok=True)
        (book / f"{page_of(trial)}.ipynb").unlink()
        shutil.rmtree(book / "figures" / page_of(trial), ignore_errors=True)
    return gone
