"""Writes the pages that are computed: coverage, claims, trials, settings, how fast, how made, reference.

What the chapters drew and checked is read from the outputs of the executed notebooks, where
`page.Page` recorded it; nothing on these pages is typed by hand.
"""

import pathlib

from sifting import store
from sifting.publish import intervals, sources
from sifting.publish.pages.concluded import findings_page, verdicts
from sifting.publish.pages.covered import coverage, coverage_page, write_coverage
from sifting.publish.pages.fast import speed_page
from sifting.publish.pages.made import provenance_page, seedless, sha256
from sifting.publish.pages.mapped import map_block
from sifting.publish.pages.outputs import TRIAL, claims_of, outputs, record
from sifting.publish.pages.settings import settings_page
from sifting.publish.pages.tested import claims_page, ledger, write_claims
from sifting.publish.pages.tried import trials_page
from sifting.publish.reference import reference
from sifting.publish.web.glossary import glossary_page

# pages that follow from the package and the chapters alone
OF_CODE = {"settings": settings_page, "reference": reference, "glossary": glossary_page}
BLOCKS = ("findings", "found", "map", "reading", "verdicts")  # what other pages include

__all__ = [
    "BLOCKS",
    "claims_of",
    "claims_page",
    "coverage",
    "coverage_page",
    "findings_page",
    "ledger",
    "outputs",
    "provenance_page",
    "record",
    "seedless",
    "settings_page",
    "sha256",
    "speed_page",
    "trials_page",
    "verdicts",
    "write",
    "write_claims",
    "write_coverage",
]


def write(book: pathlib.Path) -> None:
    """Write all computed pages of the book; a page that stays the same is left alone."""
    shown = outputs(book)
    texts = {
        "map": map_block(shown),
        "coverage": coverage_page(shown),
        "claims": claims_page(shown),
        "findings": findings_page(shown),
        "found": findings_page(shown, folded=True),
        "verdicts": verdicts(shown),
        "reading": intervals.key() + intervals.meaning() + "\n",
        "speed": speed_page(store.root() / "bench.json"),
        "provenance": provenance_page(shown, outputs(book, f"{TRIAL}*")),
        "trials": trials_page(book),
    }
    of, stamp = book / ".of-code", sources.stamp()
    same = of.exists() and of.read_text(encoding="utf-8") == stamp
    for name, make in OF_CODE.items():  # they take longer than all others
        if not (same and (book / f"{name}.md").exists()):
            texts[name] = make()
    for name, text in texts.items():
        path = book / f"{name}.md"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    of.write_text(stamp, encoding="utf-8")
