"""The form of an executed notebook in which the same inputs give the same bytes."""

import collections
import dataclasses
import hashlib
import re

import nbformat

from sifting import store
from sifting.publish import sources
from sifting.publish.markup import SMOKE
from sifting.publish.pages.outputs import claims_of, recorded
from sifting.publish.pages.tested import verdicts_of

STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"


def headed(notebook, record: dict):
    """Say below the title which preset the page shows, and what became of its statements; fold the answer.

    record : see runner.compute
    """
    title, _, rest = notebook.cells[0].source.partition("\n")
    runs = [store.named(name) for name in record["results"]]
    preset, seeds = record["preset"], _seeds(record["seeds"], [run.config for run in runs])
    hours = sum(run.seconds for run in runs) / 3600
    said = f'Results of the <a href="settings.html">{preset} preset</a>, {seeds}, '
    said += f'<a href="provenance.html">computed</a> in {hours:.1f} core-hours.'
    if claims := claims_of(recorded(notebook, record["chapter"])):
        tests = f"{len(claims)} statement{'s are' if len(claims) > 1 else ' is'} tested"
        said += f' {tests}: <a href="claims.html">{verdicts_of(claims)}</a>.'
    said, style = (SMOKE, "shown warning") if preset == "smoke" else (said, "shown")
    notebook.cells[0].source = f'{title}\n\n<p class="{style}">{said}</p>\n{sources.folded(rest)}'


def _seeds(least: int, configs: list) -> str:
    """How many seeds a chapter has: that it asks for, or more where it reads runs of other chapters."""
    found = collections.defaultdict(set)
    for config in configs:
        found[dataclasses.replace(config, seed=0)].add(config.seed)
    most = max(map(len, found.values()), default=least)
    return f"{least} to {most} seeds" if most > least else f"{least} seed{'s' * (least > 1)}"


def normalise(notebook, name: str, as_written: bool):
    """Drop clocks, paths and random ids, so that the same inputs give the same bytes.

    as_written : the parameters are those that the chapter itself names; then they are not shown, else folded
    """
    notebook.metadata.pop("papermill", None)
    for number, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), 1):
        cell.execution_count = number
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = number
    for cell in notebook.cells:
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.id = "injected-parameters"
            cell.metadata.tags.append("remove-cell" if as_written else "hide-input")
        for output in cell.get("outputs", []):
            for kind in {"text/plain"} & set(output.get("data", {})):
                output["data"][kind] = re.sub(r" at 0x[0-9a-f]+", "", output["data"][kind])
    widgets = notebook.metadata.get("widgets", {}).get(STATE)
    if not widgets:
        return notebook
    state, order = widgets["state"], {}

    def visit(model):  # depth first from the views: new ids depend on structure alone
        if model in state and model not in order:
            order[model] = hashlib.sha256(f"{name}:{len(order)}".encode()).hexdigest()[:32]
            for child in re.findall(r"IPY_MODEL_(\w{32})", repr(state[model]["state"])):
                visit(child)

    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if VIEW in output.get("data", {}):
                visit(output["data"][VIEW]["model_id"])
    widgets["state"] = {model: state[model] for model in order}
    text = nbformat.writes(notebook)
    for old, new in order.items():
        text = text.replace(old, new)
    return nbformat.reads(text, 4)
