"""What the executed chapters recorded in their outputs, and how pages speak of it."""

import math
import pathlib

import nbformat

from sifting.publish.catalog import PAPERS, statement
from sifting.publish.claims import MEASURED, Claim
from sifting.publish.markup import SMOKE

TRIAL = "trial-"  # how names of pages of trials begin


def record(notebook: pathlib.Path) -> dict:
    """What the runner wrote into an executed notebook: stamp, chapter, preset, seeds.

    {} where there is none.
    """
    return nbformat.read(notebook, 4).metadata.get("sifting", {}) if notebook.exists() else {}


def outputs(book: pathlib.Path, of: str = "[!.]*") -> list[dict]:
    """What each output of the executed chapters records, and its chapter, in the order of names.

    of : pattern of the names of pages; trials are left out where it does not name them
    """
    found = []
    for path in sorted(book.glob(f"{of}.ipynb")):
        if path.name.endswith(".failed.ipynb") or path.name.startswith(TRIAL) > of.startswith(TRIAL):
            continue
        found += recorded(nbformat.read(path, 4), path.stem)
    return found


def recorded(notebook, name: str) -> list[dict]:
    """What each output of the executed notebook of that name records, and the name as its chapter.

    An output that records several claims, {"claims": [...]}, counts as one for each, {"claim": ...}.
    """
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            record = output.get("metadata", {}).get("sifting", {"claims": []})
            apart = [{"claim": claim} for claim in record["claims"]] if "claims" in record else [record]
            found += [one | {"chapter": name} for one in apart]
    return found


def claims_of(shown: list[dict]) -> list[dict]:
    """The claims among the outputs, each with its chapter and what the catalog says of it: see in_words."""
    return [_said(output["claim"]) | {"chapter": output["chapter"]} for output in shown if "claim" in output]


def _said(record: dict) -> dict:
    """What a page recorded of a claim, with its statement and verdict in words."""
    said = statement(record["id"], record["name"])
    missing = dict.fromkeys(MEASURED, math.nan) | {"low": -math.inf, "high": math.inf}  # JSON has no such
    found = {name: value if record.get(name) is None else record[name] for name, value in missing.items()}
    return record | found | in_words(Claim(said, **found, over=record["over"]))


def in_words(claim: Claim) -> dict:
    """A claim as pages speak of it: itself, its id and name, what the catalog says, estimate, verdict."""
    said = claim.statement
    words = {"statement": said.text, "paper": said.theirs, "effect": said.effect, "unit": said.unit}
    found = {"verdict": claim.verdict, "ours": claim.ours, "wanted": said.wanted}
    return {"claim": claim, "id": said.id, "name": said.name, "estimate": claim.estimate} | words | found


def warning(shown: list[dict]) -> list[str]:
    """A line that says so where a chapter was made to test that it runs, and not to be read."""
    chapters = sorted({output["chapter"] for output in shown if output.get("preset") == "smoke"})
    return [f'<p class="warning">{", ".join(chapters)}: {SMOKE}</p>'] * bool(chapters)


def figure_link(name: str, chapter: str, text: str = "") -> str:
    """A link to a figure in its chapter."""
    return f'<a href="{chapter}.html#{name}">{text or name}</a>'


def by_paper(rows: list[dict]):
    """(authors, key of its reference, its rows) for each paper, by the IDs of the rows."""
    for prefix, (cite, authors, _) in PAPERS.items():
        yield authors, cite, [row for row in rows if row["id"].startswith(prefix)]


def where(row: dict) -> str:
    """Chapter, preset and data of a figure or claim."""
    return " · ".join(filter(None, (row["chapter"], row["preset"], row["dataset"])))
