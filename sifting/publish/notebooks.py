"""Executes notebooks of chapters: parameters in, a page out, equal bytes for equal inputs."""

import ast
import asyncio
import atexit
import contextlib
import functools
import logging
import multiprocessing
import os
import pathlib
import signal
import socket
import sys
import tempfile
from collections.abc import Callable

import nbformat
from traitlets.config import Config

from sifting import store
from sifting.publish.normal import normalise
from sifting.publish.sources import ROOT, BuildError, check_parameters

SOCKET = 90  # characters that the path of a socket may have, on any system


def execute(
    source: pathlib.Path,
    target: pathlib.Path,
    parameters: dict,
    record: dict,
    beside: pathlib.Path | None = None,
    finish: Callable | None = None,
) -> None:
    """Run a notebook, and write it with its outputs to `target`: whole, or not at all.

    record : kept in the metadata of the page
    beside : folder of figures that are to stand beside those of the page, under the same names
    finish : function(notebook), which changes the page before it is written

    It runs in the Python that runs this, with one thread, unless OMP_NUM_THREADS says otherwise, so that
    kernels side by side leave each other their cores, and numbers do not depend on how many there are.
    Raises ValueError for unknown parameters, and BuildError where a cell fails; what has run until then
    lies beside the target.
    """
    import papermill

    name, where = target.stem, f"{source.parent.name}/{source.name}"
    known = check_parameters(source, parameters)
    partial, failed = target.with_name(f".{name}.partial.ipynb"), target.with_name(f"{name}.failed.ipynb")
    notebook = nbformat.read(source, 4)
    notebook.cells.insert(0, _first_cell(source.parent, target.parent / "figures" / name, beside))
    alone = sys.stderr.isatty() and not multiprocessing.parent_process()
    kernel = _kernel()
    logging.getLogger("papermill").setLevel(logging.ERROR)  # it warns of lines of parameters that it misreads
    try:
        with environment(KERNEL), terminable():
            notebook = papermill.execute_notebook(
                notebook,
                partial,
                parameters,
                kernel_name="python3",
                cwd=source.parent,
                progress_bar={"desc": name, "leave": False} if alone else False,
                request_save_on_cell_execute=False,
                km=kernel,
            )
        del notebook.cells[0]
        as_written = all(known[key] == value for key, value in parameters.items())
        notebook = normalise(notebook, name, as_written)
        notebook.metadata["sifting"] = record
        if finish:
            finish(notebook)
        nbformat.write(notebook, partial)
        os.replace(partial, target)
        failed.unlink(missing_ok=True)
    except BaseException as error:
        _end(kernel)
        if not isinstance(error, papermill.PapermillExecutionError):
            raise
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


def stub(source: pathlib.Path):
    """A page for a chapter that has not been drawn.

    It has its title, how to draw it, and words for what others quote of it.
    """
    cells = nbformat.read(source, 4).cells
    title = cells[0].source.partition("\n")[0]
    page = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    text = (
        f"{title}\n\nThis chapter has not been drawn here yet: "
        f"`make chapter={source.stem}` draws it, `make` all of them."
    )
    page.cells.append(nbformat.v4.new_markdown_cell(text, id="stub"))
    quoted = (call for cell in cells if cell.cell_type == "code" for call in _glued(cell.source))
    for name in quoted:
        said = nbformat.v4.new_output(
            "display_data", {"text/plain": "'(not drawn yet)'"}, metadata={"scrapbook": {"name": name}}
        )
        page.cells.append(
            nbformat.v4.new_code_cell(
                "", id=f"stub-{name}", outputs=[said], metadata={"tags": ["remove-cell"]}
            )
        )
    return page


def _glued(code: str) -> list[str]:
    """Names of what a cell gives to the text of other pages, page.glue(gain=...)."""
    calls = (node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call))
    return [
        word.arg
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr == "glue"
        for word in call.keywords
    ]


KERNEL = {  # environment that a kernel starts in
    "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
    "PYTHONHASHSEED": "0",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "TQDM_DISABLE": "1",  # a bar says how long something took here, which is another time each time
    "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
}


def _first_cell(folder: pathlib.Path, figures: pathlib.Path, beside: pathlib.Path | None):
    """What makes a kernel in which another notebook may have run as good as new."""
    surroundings = {
        "SIFTING_FIGURES": str(figures),
        "SIFTING_BESIDE": str(beside or ""),
        "SIFTING_RESULTS": str(store.root()),
    }
    code = f"%reset -f\nimport os\nos.chdir({str(folder)!r})\nos.environ |= {surroundings}\ndel os"
    return nbformat.v4.new_code_cell(code, id="first")


@functools.cache
def _kernel():
    """The kernel of this process, for one notebook after another: to start one takes seconds."""
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

    class Kernel(AsyncKernelManager):
        """One whose clients can be told when they are done with: papermill leaves theirs open."""

        clients = []

        def client(self, **how):
            self.clients.append(super().client(**how))
            return self.clients[-1]

    sockets = tempfile.TemporaryDirectory()
    kernel = Kernel(config=connection(sockets.name))
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=CRITICAL"]
    kernel._kernel_spec = KernelSpec(argv=command, language="python", display_name="Python")
    atexit.register(sockets.cleanup)
    atexit.register(_end, kernel)
    return kernel


def _leave(kernel) -> None:
    """Close the connections to a kernel."""
    while kernel.clients:
        kernel.clients.pop().stop_channels()


def _end(kernel) -> None:
    """Stop a kernel; the next notebook has another."""
    _kernel.cache_clear()
    _leave(kernel)
    if kernel.has_kernel:
        asyncio.run(kernel.shutdown_kernel(now=True))
    kernel.context.destroy(linger=0)


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
