"""What Sphinx lacks, as an extension of it: terms told where they first stand."""

import hashlib
import pathlib

from sifting.publish.web import glossary

HERE = pathlib.Path(__file__).parent


def setup(app) -> dict:
    """Make Sphinx finish every page of the book."""
    app.add_config_value("sifting_stamp", _stamp(), "html")  # another one: every page is written anew
    app.connect("html-page-context", _finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _stamp() -> str:
    files = [*sorted(HERE.glob("*.py")), glossary.SOURCE]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def _finish(app, name: str, template: str, context: dict, doctree) -> None:
    """Change the body of a page before it is written."""
    page = name.removeprefix("book/")
    if doctree is None or page == name:
        return
    titles = {one.removeprefix("book/"): title.astext() for one, title in app.env.titles.items()}
    if page not in glossary.APART:
        context["body"] = glossary.marked(context["body"], titles, page)
