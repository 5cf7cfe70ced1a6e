"""In a kernel of live mode: errors of ours in one line, and no figure of settings that are no more."""

import contextlib
import itertools
import linecache
import os
import pathlib
import traceback
import types
from collections.abc import Iterator

from IPython import get_ipython
from IPython.display import publish_display_data

from sifting.publish import asked, runner, trials
from sifting.publish.live import markdown
from sifting.publish.page import PACKAGE

RED, PLAIN = "\x1b[31m", "\x1b[0m"
_shown, _widgets = [], []  # of the page that is open: IDs of its outputs, and its explorers
_places = itertools.count()


@contextlib.contextmanager
def opening(chapter: str, preset: str, seeds: int, overrides: dict | None) -> Iterator[None]:
    """Around opening a page: what was drawn of another is taken away; where it fails, no cell below draws.

    Where the settings are not those of the book, its curves stand behind what is drawn.
    """
    shell = get_ipython()
    shell.set_custom_exc((Exception,), tell)
    _take_away()
    os.environ.pop("SIFTING_BESIDE", None)
    try:
        yield
    except Exception:
        shell.user_ns["page"] = Closed()
        raise
    with trials.of_the_book():
        own = asked.settle(chapter, None, None, None)
        if asked.settle(chapter, preset, seeds, overrides) != own:
            os.environ["SIFTING_BESIDE"] = str(runner.BOOK / "figures" / chapter)


class Closed:
    """In the place of a page that could not be opened."""

    def __getattr__(self, name: str):
        if name.startswith("_"):
            raise AttributeError(name)
        raise ValueError("the cell that opens the chapter failed: mend the settings, and run it again")


def publish(data: dict, metadata: dict) -> None:
    """Show an output of a page, with links to the site, so that it can be taken away."""
    name = f"sifting-{os.getpid()}-{next(_places)}"
    if "text/html" in data:
        data = data | {"text/html": markdown.on_site(data["text/html"])}
    if "source" not in metadata.get("sifting", {}):  # code is the same at all settings
        _shown.append(name)
    publish_display_data(data, metadata, transient={"display_id": name})


def remember(widget) -> None:
    """Take note of a widget, so that it can be taken away."""
    _widgets.append(widget)


def _take_away() -> None:
    """Put a line in the place of every output of the page that was open before."""
    said = "This was drawn at other settings: run this cell again."
    data = {"text/html": f'<p class="earlier">{said}</p>', "text/plain": said}
    while _shown:
        publish_display_data(data, {}, transient={"display_id": _shown.pop()}, update=True)
    while _widgets:
        _widgets.pop().close()


def tell(shell, kind, error: Exception, trace: types.TracebackType, tb_offset: int | None = None) -> None:
    """Show an error: one of ours in a line, another as IPython does. $SIFTING_DEBUG shows where it was."""
    if os.environ.get("SIFTING_DEBUG") or not ours(error, trace):
        shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
    else:
        shell._showtraceback(kind, error, [f"{RED}{said(error)}{PLAIN}"])


def ours(error: Exception, trace: types.TracebackType) -> bool:
    """Whether an error is what this package raises on purpose: its last line raises it."""
    last = traceback.extract_tb(trace)[-1]
    line = linecache.getline(last.filename, last.lineno).strip()
    inside = pathlib.Path(last.filename).is_relative_to(PACKAGE)
    return inside and line.startswith("raise ") and not isinstance(error, AssertionError)


def said(error: Exception) -> str:
    """An error in a line."""
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split())
