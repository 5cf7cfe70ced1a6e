"""The site around the executed chapters, built by Jupyter Book."""

import math
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

import nbformat

from sifting.publish import landing, notebooks, pages, place, sources, trials
from sifting.publish.live import knobs
from sifting.publish.sources import ROOT, BuildError
from sifting.publish.web import shared
from sifting.publish.web.figures import FOLDER

# beside the site
READ = pathlib.Path(".doctrees") / "environment.pickle"  # what Sphinx has read
TOOK = "seconds"  # that it took
DOOR = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Sifting</title>
<link rel="icon" href="data:,"><meta http-equiv="refresh" content="0; url=book/intro.html">
<a href="book/intro.html">Sifting</a></html>
"""  # Jupyter Book's own has no icon, and a browser asks for one that is not there


def build(book: pathlib.Path, site: pathlib.Path) -> None:
    """Build the site around the executed chapters.

    book : their folder; site : that of the site

    In the place of others stands a line that says how to draw them.
    Raises BuildError, with what Jupyter Book said, where there is an error or a warning.
    """
    begun, read = time.monotonic(), site.parent / READ
    for source in [*map(sources.path, sources.chapters()), *map(sources.guide, sources.guides())]:
        if not (book / source.name).exists():
            nbformat.write(notebooks.stub(source), book / source.name)
    landing.stand_in(book)
    with trials.apart():  # their results are on the pages, too
        pages.write(book)
    print("building the site", flush=True)
    begin = "import sifting.publish; from jupyter_book.cli.main import main; main()"
    jupyter_book = [sys.executable, "-c", begin]
    toc = site.parent / "toc.yml"
    toc.parent.mkdir(parents=True, exist_ok=True)
    listed = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    if not toc.exists() or toc.read_text(encoding="utf-8") != listed:
        read.unlink(missing_ok=True)  # every page lists the others
        toc.write_text(listed, encoding="utf-8")
    command = [*jupyter_book, "build", str(place.HOME), "--toc", str(toc), "-W", "-n", "--keep-going"]
    talk = os.environ | {"PYTHONIOENCODING": "utf-8", "PYTHONPATH": notebooks.KERNEL["PYTHONPATH"]}
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", env=talk)
    if done.returncode:
        read.unlink(missing_ok=True)  # or pages with warnings would count as read, and the next build as good
        said = [
            line
            for line in (done.stdout + done.stderr).splitlines()
            if re.search("WARNING|ERROR|Error", line)
        ]
        raise BuildError("the site did not build\n" + "\n".join(said or [done.stdout, done.stderr]))
    _remove_stale_pages(book, site)
    (site / ".nojekyll").touch()
    (site / "index.html").write_text(DOOR, encoding="utf-8")
    pages.write_coverage(book, site / "coverage.json")
    pages.write_claims(book, site / "claims.json")
    knobs.write(site / "_static" / "panels.js", book)
    landing.write(site / "_static" / "lab.js", book)
    shared.tidy(site)
    (site.parent / TOOK).write_text(f"{time.monotonic() - begun:.1f}", encoding="utf-8")
    print(f"open {site / 'index.html'}, or run: make serve")


def _remove_stale_pages(book: pathlib.Path, site: pathlib.Path) -> None:
    """Remove what the site still has of pages that are no more, as of trials: Sphinx leaves it."""
    there = {path.stem for path in book.glob("*") if path.suffix in (".md", ".ipynb")}
    for page in [*(site / "book").glob("*.html"), *(site / "_sources" / "book").glob("*")]:
        if page.stem not in there:
            page.unlink()
    for folder in (site / FOLDER).glob("*"):
        if folder.name not in there:
            shutil.rmtree(folder)


def took(site: pathlib.Path) -> float:
    """In how many seconds the site was last built; nan where it was not."""
    file = site.parent / TOOK
    return float(file.exists() and file.read_text(encoding="utf-8") or math.nan)
