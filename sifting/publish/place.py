"""Where pages and the site are written: beside the package, or where that may only be read, elsewhere."""

import os
import pathlib
import shutil
import tempfile

from sifting.publish.sources import ROOT

HOME = pathlib.Path(os.environ.get("SIFTING_SITE") or ROOT).absolute()  # holds book/ and _build/
MADE = {"results", "figures", "answers"}  # folders in book/ that are no source of pages


def bring(home: pathlib.Path) -> None:
    """Bring there, if it is not the folder of the book itself, what pages are made of: what is newer here."""
    for file in [ROOT / "_config.yml", *(ROOT / "book").rglob("*")] if home != ROOT else []:
        inside = file.relative_to(ROOT)
        hidden = any(part.startswith(".") for part in inside.parts)
        if file.is_file() and file.suffix != ".ipynb" and not hidden and not MADE & set(inside.parts):
            copy = home / inside
            if not copy.exists() or copy.stat().st_mtime < file.stat().st_mtime:
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)  # not its mode: what may be read only is brought anew some day


def check_writable(book: pathlib.Path) -> None:
    """Raise OSError, before anything is computed, where no page can be written, or nobody kept out."""
    for folder in (book.parent, book):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            why = f"{error.strerror}: pages cannot be written there ($SIFTING_SITE names another folder)"
            raise type(error)(error.errno, why, str(folder)) from None
