"""Answers to exercises: trials that are kept in small, a figure and what became of the statements.

A chapter asks for one below the exercise, page.answer("lr=0.05", "PB1a"); `keep` makes it of a trial's page.
"""

import ast
import html
import json
import pathlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

import nbformat

from sifting import store
from sifting.config import SETTINGS, choose, parse
from sifting.publish import pages, plans, sources, trials
from sifting.publish.markup import picture
from sifting.publish.pages.outputs import figure_link, in_words, recorded
from sifting.publish.pages.tried import assignments, drawn, page_of, said
from sifting.publish.sources import ROOT

FOLDER = ROOT / "book" / "answers"
MOST = 300_000  # bytes of an answer: there are dozens of them, and they are in the repository
FIGURE = re.compile(
    r'<img class="(\w+)".*<figcaption><strong>[\w-]+\.</strong> (.*) <span class="made">', re.S
)
NUMBER = re.compile(r"\{(book )?([\w-]+\.\w+)\}")  # in words on an answer: {PB1a.gains}, {book PB1a.gains}


@dataclass(frozen=True)
class Exercise:
    """What a chapter asks its reader to try.

    chapter   : where it stands; of: that which is to be run
    overrides : what is to be set there; figure: what is to be looked at; says: what came out
    """

    chapter: str
    of: str
    overrides: Mapping
    figure: str
    says: str = ""

    @property
    def path(self) -> pathlib.Path:
        """Where its answer lies, or would lie, as imp-rewind_step-0.json."""
        return path(self.of, self.overrides)


def path(chapter: str, overrides: dict) -> pathlib.Path:
    """Where the answer of a trial at these overrides lies, or would lie."""
    words = assignments(dict(sorted(typed(overrides).items())))
    return FOLDER / (re.sub(r"[^\w.]+", "-", f"{chapter} {words}") + ".json")


def typed(overrides: dict) -> dict:
    """Overrides in their own types, tuples as lists, as JSON has them. Raises ValueError for others."""
    for name in overrides:
        choose("parameter", name, SETTINGS)
    values = {name: SETTINGS[name].read(value) for name, value in overrides.items()}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def asked(notebook: pathlib.Path) -> list[Exercise]:
    """The exercises of a chapter that have an answer to be computed, from its calls of page.answer."""
    found, chapter = [], notebook.stem
    for cell in nbformat.read(notebook, 4).cells:
        for node in ast.walk(ast.parse(cell.source)) if cell.cell_type == "code" else ():
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "answer":
                overrides, figure, *says = (ast.literal_eval(argument) for argument in node.args)
                of = {word.arg: ast.literal_eval(word.value) for word in node.keywords}.get("of", chapter)
                found.append(Exercise(chapter, of, typed(parse(overrides)), figure, *says))
    return found


def stamps(notebook: pathlib.Path) -> list[str]:
    """A hash of each answer that a chapter shows: with them its page changes."""
    return [pages.sha256(exercise.path) for exercise in asked(notebook) if exercise.path.exists()]


# --- from the page of a trial


def keep(trial: str, book: pathlib.Path) -> list[pathlib.Path]:
    """Keep what a trial came to, for the exercise that asks for it; of "all", where exercises ask for them.

    returns : the files

    Raises ValueError for a trial that there is not, that no exercise asks for, or that is too large, or
    whose results are not there any more. Of "all" the others are kept all the same.
    """
    found = {name: record for name, record in drawn(book).items() if "beside" not in record}
    if trial != "all":
        choose("trial", trial, [*found, "all"] if found else [])
    wanted = {one.path: one for source in map(sources.path, sources.chapters()) for one in asked(source)}
    files, failed = [], []
    for name in found if trial == "all" else [trial]:
        file = path(found[name]["chapter"], found[name]["overrides"])
        if file in wanted:
            try:
                _write(file, _kept(name, found[name], wanted[file].figure, book))
                files.append(file)
            except (ValueError, FileNotFoundError) as error:
                failed.append(f"{name}: {error}")
        elif trial != "all":
            raise ValueError(f"{name}: no exercise asks for it; a chapter does by page.answer")
    if failed:
        raise ValueError("; ".join(failed) + f" (kept: {len(files)})" * (trial == "all"))
    return files


def _write(file: pathlib.Path, kept: dict) -> None:
    """Write an answer. Raises ValueError where it is too large."""
    text = json.dumps(kept, indent=1, sort_keys=True)
    if len(text) > MOST:
        raise ValueError(f"{kept['figure']['name']} is too large to be kept: {len(text):,} bytes")
    file.parent.mkdir(exist_ok=True)
    file.write_text(text + "\n", encoding="utf-8")


def _kept(name: str, record: dict, figure: str, book: pathlib.Path) -> dict:
    """What is kept of a trial."""
    notebook = nbformat.read(book / f"{page_of(name)}.ipynb", 4)
    stored = book / f"{record['chapter']}.ipynb"
    pictures = {
        output.metadata["sifting"]["figure"]: output.data["text/html"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "figure" in output.get("metadata", {}).get("sifting", {}) and "<img" in output.data["text/html"]
    }
    choose("figure", figure, pictures)
    room, caption = FIGURE.search(pictures[figure]).groups()
    svg = (book / "figures" / page_of(name) / f"{figure}.svg").read_text(encoding="utf-8")
    theirs = recorded(nbformat.read(stored, 4), "") if stored.exists() else []
    settings = {key: record[key] for key in ("chapter", "preset", "seeds", "overrides", "results")}
    drawing = {"name": figure, "room": room, "caption": caption, "svg": svg}
    claims = {"claims": _tested(recorded(notebook, "")), "book": _tested(theirs)}
    return settings | _made(record["results"]) | claims | {"figure": drawing}


def _tested(shown: list[dict]) -> list[dict]:
    return [{"claim": output["claim"], "chapter": output["chapter"]} for output in shown if "claim" in output]


def _made(results: list[str]) -> dict:
    """How results were made that are not the book's: when, from which commits, in how many seconds."""
    with trials.apart():
        own = [run for run in map(store.named, results) if run.path.parent == store.root()]
    how = [run.provenance for run in own]
    return {
        "date": max((one["date"][:10] for one in how), default=""),
        "commit": ", ".join(sorted({commit for one in how for commit in one["commit"].split(", ")})),
        "wall_seconds": round(sum(run.seconds for run in own)),
    }


# --- in the chapter


def shown(page, overrides: str, figure: str, says: str = "", of: str = "") -> tuple[str, str]:
    """The answer to an exercise on the page of a chapter, folded; where none is kept, how to find it.

    overrides : what the trial sets, as one types it, "lr=0.05 widths=64,64"
    figure    : its most telling one
    says      : what came out, HTML; {PB1a.gains} stands for the effect in the trial, {book PB1a.gains} for
                that in the book. Default: the statements on the figure, or those that turned
    of        : the chapter to run, where it is another than that of the page
    returns   : as HTML, and as plain text
    """
    chapter = of or page.chapter
    command = f'make chapter={chapter} set="{overrides}"'
    file, found, told = path(chapter, parse(overrides)), None, "What comes out is not stored yet."
    if file.exists():
        try:
            found = _found(page, chapter, json.loads(file.read_text(encoding="utf-8")), says)
        except ValueError:  # statements have other names now: the page is drawn, and a test fails
            told = "What is stored of it is of an earlier form of the chapter."
    tried = f"<code>{html.escape(command)}</code>; look at {figure_link(figure, chapter)}."
    if found is None:
        return f'<p class="answer">Try it: {tried} {told}</p>', f"{command}: {told}"
    words, fold = found
    text = (
        f'<p class="answer">Try it: {tried}</p><details class="answer">'
        f"<summary>Answer: what came out</summary>{fold}</details>"
    )
    return text, f"{command}: {re.sub('<.*?>', '', words)}"


def _found(page, chapter: str, kept: dict, says: str) -> tuple[str, str]:
    """What came out, in words, and all that is folded.

    Raises ValueError for statements that there are not.
    """
    mine, theirs = trials.by_name(kept["claims"]), trials.by_name(kept["book"])
    if chapter == page.chapter and page.base == plans.base(chapter, kept["preset"]):
        theirs = {tuple(key.split(".")): in_words(claim) for key, claim in page.claims.items()}
    anchors = page.anchors if chapter == page.chapter else None
    words = glued(says, mine, theirs) if says else _told(mine, theirs, kept["figure"]["name"])
    fold = (
        f"<p>{words}</p>",
        _figure(**kept["figure"]),
        trials.comparison(mine, theirs, anchors, f"{chapter}.html", ""),
        f"<p><small>{_how(kept)}</small></p>",
    )
    return words, "".join(fold)


def glued(text: str, mine: dict, theirs: dict) -> str:
    """Words with the effects that they name. Raises ValueError for one that is not there, or not named so."""

    def effect(name):
        claims, key = theirs if name[1] else mine, tuple(name[2].split("."))
        if key not in claims:
            raise ValueError(f"an answer names {name[2]}, which there is not among {sorted(claims)}")
        return _alone(claims[key])

    words = NUMBER.sub(effect, text)
    if left := re.search(r"[{}].*", words):
        raise ValueError(f"an answer names an effect as {{ID.name}} or {{book ID.name}}, not so: {left[0]}")
    return words


def _alone(claim: dict) -> str:
    """An effect with its unit, without its interval."""
    return html.escape(claim["claim"].value)


def _told(mine: dict, theirs: dict, figure: str) -> str:
    """Sentences on the statements about a figure, at most three; else on those that turned, else on any."""
    on = [key for key in mine if key[0] == figure]
    turned = [key for key in mine if key in theirs and mine[key]["verdict"] != theirs[key]["verdict"]]
    sentences = []
    for key in (on or turned or [*mine])[:3]:
        claim, book = mine[key], theirs.get(key)
        words = f"{claim['statement']} Here: {_alone(claim)}, {claim['verdict']}"
        sentences.append(f"{words}; in the book: {_alone(book)}, {book['verdict']}." if book else f"{words}.")
    return " ".join(sentences)


def _figure(name: str, room: str, caption: str, svg: str) -> str:
    """The figure of a trial, as HTML."""
    alt = html.escape(re.sub("<.*?>", "", caption), quote=True)
    return (
        f'<figure class="sifting-figure">{picture(f"{name} in the trial", svg, room, alt)}'
        f"<figcaption><strong>{name}</strong> in the trial. {caption}</figcaption></figure>"
    )


def _how(kept: dict) -> str:
    """How the trial of an answer was made."""
    minutes = max(1, round(kept["wall_seconds"] / 60))
    made = f"computed at commit {kept['commit']}, until {kept['date']}, in {minutes} min of one core"
    return f"Stored: {said(kept)}; {made}."
