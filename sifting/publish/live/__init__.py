"""The book in JupyterLab: copies of the chapters, a panel at the head of each, errors in one line."""

import contextlib
import os
import pkgutil

from IPython.display import publish_display_data

SWITCH = "SIFTING_LIVE"  # set in kernels of live mode


def on() -> bool:
    """Whether this is a kernel of live mode."""
    return bool(os.environ.get(SWITCH))


def opening(*settings):
    """The context in which a page is opened, see session.opening; empty but in live mode."""
    return (
        pkgutil.resolve_name(f"{__name__}.session:opening")(*settings) if on() else contextlib.nullcontext()
    )


def publish(data: dict, metadata: dict) -> None:
    """Show an output of a page: publish_display_data, but in live mode session.publish."""
    _session("publish", data, metadata) if on() else publish_display_data(data, metadata)


def remember(widget) -> None:
    """Take note of a widget that a page shows, see session.remember; nothing but in live mode."""
    if on():
        _session("remember", widget)


def _session(name: str, *arguments):
    """Call that function of `session`; found by its name alone: no page of the book is made of it."""
    return pkgutil.resolve_name(f"{__name__}.session:{name}")(*arguments)
