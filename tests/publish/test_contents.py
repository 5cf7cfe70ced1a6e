"""What there is to read, in the terminal: every chapter, in the order of the book."""

import re

import pytest

from sifting import __main__ as cli
from sifting.publish import contents, plans, sources


def test_all_chapters_are_listed_in_the_order_of_the_book_with_their_titles():
    assert sorted(contents.ordered()) == sources.chapters()
    text = contents.listed()
    names = re.findall(r"^  (\w+) ", text, re.M)
    assert names == contents.ordered()
    assert all(sources.title(name) in text for name in names) and max(map(len, text.splitlines())) <= 110


@pytest.mark.parametrize("name", sources.chapters())
def test_what_a_chapter_is_about_is_plain_text(name):
    assert not re.search(r"[`{}*#|]|\]\(", sources.about(name)) and sources.about(name).endswith((".", "?"))
    assert sources.title(name) and "#" not in sources.title(name)


def test_all_about_a_chapter_names_its_fields_and_presets(capsys):
    assert cli.main(["list", "chapter=dial"]) == 0
    text = capsys.readouterr().out
    assert all(f"{field} " in text for field in plans.ABOUT["dial"])
    assert re.findall(r"^ +(?:presets +)?(\w+) +about .* from nothing", text, re.M) == plans.presets("dial")
    assert len(re.findall(r"; meant for a GPU$", text, re.M)) == 2
    assert cli.main(["list", "chapter=dail"]) == 2
    assert "unknown chapter 'dail'" in capsys.readouterr().err


@pytest.mark.parametrize("name", [name for name in sources.chapters() if "?" in sources.about(name)])
def test_a_chapter_that_asks_something_is_listed_with_its_question(name):
    entry = contents._entry(name)
    assert entry[-1].endswith("?") and "the paper call" not in " ".join(entry)
