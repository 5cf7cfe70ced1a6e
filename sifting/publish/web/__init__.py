"""What Sphinx lacks, as an extension of it: terms told where they first stand, files beside pages."""

import hashlib
import pathlib
import re

from sifting.publish.web import code, figures, glossary, search, shared

HERE = pathlib.Path(__file__).parent
PLAIN = re.compile(r'<span class="[npw]">([^<]*)</span>')  # of code, in the color that all code has
WHOSE = re.compile(r" \([^()<]*\)</a>")  # whose, behind a title: in the sidebar parts say it
LONG = 100_000  # bytes; a longer source of a page is computed, and no use to who downloads it


def setup(app) -> dict:
    """Make Sphinx finish every page of the book."""
    app.add_config_value("sifting_stamp", _stamp(), "html")  # another one: every page is written anew
    app.connect("builder-inited", _begun)
    app.connect("doctree-resolved", lambda app, doctree, name: code.gather(doctree))
    app.connect("html-page-context", _sidebar, priority=400)  # before the theme, which keeps what it has made
    app.connect("html-page-context", _page, priority=900)  # after myst-nb, which adds the states of widgets
    app.connect("build-finished", _built)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _begun(app) -> None:
    app.builder.search = False  # ours stands in its place, which shows excerpts and works from disk


def _stamp() -> str:
    files = [*sorted(HERE.glob("*.py")), glossary.SOURCE]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def _sidebar(app, name: str, template: str, context: dict, doctree) -> None:
    """Leave out behind the titles of chapters what the titles of parts say."""
    entries = context["toctree"]
    context["toctree"] = lambda **how: WHOSE.sub("</a>", entries(**how))


def _page(app, name: str, template: str, context: dict, doctree) -> None:
    """Change the body of a page before it is written."""
    page = name.removeprefix("book/")
    if doctree is None or page == name:
        return
    titles = {one.removeprefix("book/"): title.astext() for one, title in app.env.titles.items()}
    body = PLAIN.sub(r"\1", context["body"])
    if page not in glossary.APART:
        body = glossary.marked(body, titles, page)
    book, site = pathlib.Path(app.srcdir, "book"), pathlib.Path(app.outdir)
    context["body"] = figures.finished(body, page, titles[page], book, site)
    shared.on_page(context["script_files"], site / "_static")


def _built(app, error) -> None:
    """What is done once all pages are written."""
    if error:
        return
    for notebook in pathlib.Path(app.outdir, "_sources").rglob("*.ipynb"):
        figures.bare(notebook)
    for page in pathlib.Path(app.outdir, "_sources").rglob("*.md"):
        if page.stat().st_size > LONG:
            page.write_text("`make` computes this page from results and code.\n", encoding="utf-8")
    # of the theme, for who works on it or translates it, and fonts that are there as woff2, too
    for form in ("*.map", "*.mo", "*.po", "*.ttf"):
        for path in pathlib.Path(app.outdir, "_static").rglob(form):
            path.unlink()
    search.write(pathlib.Path(app.outdir))
