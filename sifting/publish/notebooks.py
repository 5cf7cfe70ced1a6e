"""Executes notebooks of chapters: parameters in, a page out, equal bytes for equal inputs."""

import ast
import contextlib
import hashlib
import multiprocessing
import os
import pathlib
import re
import signal
import socket
import sys
import tempfile

import nbformat
from traitlets.config import Config

from sifting import store

ROOT = pathlib.Path(__file__).resolve().parents[2]
STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"
SOCKET = 90  # characters that the path of a socket may have, on any system


class BuildError(Exception):
    """A chapter whose cell fails, or a site that does not build; the message says where."""


def parameters_of(path: pathlib.Path) -> dict[str, str]:
    """Parameters of a notebook and their defaults, as Python text.

    Raises BuildError for a file that is no notebook.
    """
    from papermill import inspect_notebook

    try:
        return {key: value["default"] for key, value in inspect_notebook(str(path)).items()}
    except (nbformat.reader.NotJSONError, nbformat.ValidationError, AttributeError, KeyError) as error:
        raise BuildError(f"{path} is not a notebook: {str(error).partition(chr(10))[0]}") from None


def execute(source: pathlib.Path, target: pathlib.Path, parameters: dict, record: dict) -> None:
    """Run a notebook, and write it with its outputs to `target`: whole, or not at all.

    record : kept in the metadata of the page

    The kernel computes with one thread, unless OMP_NUM_THREADS says otherwise, so that kernels side by side leave
    each other their cores, and numbers do not depend on how many there are.
    Raises ValueError for unknown parameters, and BuildError where a cell fails; what has run until then
    lies beside the target.
    """
    import papermill

    name, where = source.stem, f"{source.parent.name}/{source.name}"
    if unknown := sorted(set(parameters) - set(known := parameters_of(source))):
        raise ValueError(f"{where} has no parameter {', '.join(unknown)}; it has {', '.join(known)}")
    partial, failed = target.with_name(f".{name}.partial.ipynb"), target.with_name(f"{name}.failed.ipynb")
    surroundings = {
        "PYTHONPATH": str(ROOT),
        "PYTHONHASHSEED": "0",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
        "SIFTING_FIGURES": str(target.parent / "figures" / name),
        "SIFTING_RESULTS": str(store.root()),
    }
    try:
        with environment(surroundings), terminable(), tempfile.TemporaryDirectory() as sockets:
            alone = sys.stderr.isatty() and not multiprocessing.parent_process()
            bar = {"desc": name, "leave": False} if alone else False
            papermill.execute_notebook(
                source,
                partial,
                parameters,
                kernel_name="python3",
                cwd=source.parent,
                progress_bar=bar,
                extra_arguments=["--log-level=CRITICAL"],
                config=connection(sockets),
            )
        as_written = all(ast.literal_eval(known[key]) == value for key, value in parameters.items())
        notebook = normalise(nbformat.read(partial, 4), name, as_written)
        notebook.metadata["sifting"] = record
        nbformat.write(notebook, partial)
        os.replace(partial, target)
        failed.unlink(missing_ok=True)
    except papermill.PapermillExecutionError as error:
        if error.ename == "KeyboardInterrupt":
            raise KeyboardInterrupt from None
        os.replace(partial, failed)
        line = error.source.strip().partition("\n")[0]
        where = f"{where}, the cell that starts with {line!r}"
        what = error.evalue.strip().partition("\n")[0]
        raise BuildError(
            f"{where}: {error.ename}: {what} (the run so far: {target.parent.name}/{failed.name})"
        ) from None
    finally:
        partial.unlink(missing_ok=True)


def connection(folder: str) -> Config:
    """How to talk to a kernel: through sockets in that folder, or where it must be, ports.

    A port that is free when the kernel is told of it may be taken when it starts, and is more easily so with
    kernels side by side.
    """
    there = f"{folder}/kernel"
    if not hasattr(socket, "AF_UNIX") or len(there) > SOCKET:
        return Config()
    return Config(KernelManager={"transport": "ipc", "ip": there})


@contextlib.contextmanager
def environment(values: dict[str, str]):
    """Environment variables, for as long as the block runs."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


@contextlib.contextmanager
def terminable():
    """SIGTERM is as Ctrl-C while the block runs: a kernel ends with the process that started it."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def normalise(notebook, name: str, as_written: bool):
    """Drop clocks, paths and random ids, so that the same inputs give the same bytes.

    as_written : the parameters are those that the chapter itself names; then they are not shown twice
    """
    notebook.metadata.pop("papermill", None)
    for cell in notebook.cells:
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.id = "injected-parameters"
            cell.metadata.tags.extend(["remove-cell"] * as_written)
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
