"""Rows of statements: the picture in closed form, and what it says in words."""

import dataclasses
import html.parser
import re
from math import inf, isfinite, nan

import pytest

from sifting.publish import intervals
from sifting.publish.catalog import DESIGNS, Statement, statements
from sifting.publish.claims import VERDICTS, Claim, check

SAID = {"id": "own-figure", "name": "name", "text": "a < b", "paper": "a value", "effect": "an effect"}


def claim(estimate=2.0, low=1.0, high=3.0, p=0.01, **said):
    return Claim(Statement(**SAID | ({"above": 0} | said)), estimate, low, high, "3 seeds", p)


def shapes(picture, kind):
    """The attributes of all shapes of a kind, percents as numbers."""
    found = re.findall(rf'<\w+ class="{kind}" ([^>]*?)/?>', picture)
    numbers = (re.findall(r'(\w+)="(-?[\d.]+)%?"', one) for one in found)
    return [{name: float(value) for name, value in one} for one in numbers]


def at(value, *shown):
    """Where a value is, in percent, when these are the outermost that are shown."""
    first, last = min(shown), max(shown)
    pad = intervals.PAD * (last - first)
    return pytest.approx(100 * (value - first + pad) / (last - first + 2 * pad), abs=0.01)


def test_every_part_of_a_picture_is_where_the_scale_has_it():
    picture = intervals.picture(claim(2.0, 1.0, 3.0, above=-1, below=5, value=6.0))
    ends = (-1, 6)
    [bar, *caps] = shapes(picture, "bar")
    assert (bar["x1"], bar["x2"]) == (at(1, *ends), at(3, *ends)) and bar["y1"] == bar["y2"]
    assert [cap["x1"] for cap in caps] == [at(1, *ends), at(3, *ends)]
    assert [dot["cx"] for dot in shapes(picture, "dot")] == [at(2, *ends)]
    assert [bound["x1"] for bound in shapes(picture, "bound")] == [at(-1, *ends), at(5, *ends)]
    [region] = shapes(picture, "region")
    assert region["x"] == at(-1, *ends) and region["x"] + region["width"] == at(5, *ends)
    [papers] = shapes(picture, "papers")
    assert papers["x"] == at(6, *ends)


def test_a_region_goes_on_to_the_end_of_the_scale_or_of_what_can_be():
    [region] = shapes(intervals.picture(claim(above=0)), "region")
    assert region["x"] == at(0, 0, 3) and region["x"] + region["width"] == pytest.approx(100, abs=0.02)
    [region] = shapes(intervals.picture(claim(above=-inf, below=2.5)), "region")
    assert region["x"] == 0 and region["width"] == at(2.5, 1, 3)
    [region] = shapes(intervals.picture(claim(0.8, 0.6, 1.0, above=0.5, most=1.0)), "region")
    assert region["x"] + region["width"] == at(1.0, 0.5, 1.0)


@pytest.mark.parametrize("one", statements().values(), ids=lambda one: one.key)
def test_every_statement_has_a_row_on_which_its_interval_and_its_bounds_are_seen(one):
    bound = one.above if isfinite(one.above) else one.below
    one = dataclasses.replace(one, design="one sample", arms=(), images=False)
    for values in ([bound - 2, bound + 1.5], [bound + 1e-3, bound + 2e-3], [bound * 50 + 7], [bound], []):
        found = check(one, values)
        first, last = intervals.frame([found])
        for value in (found.low, found.estimate, found.high, one.above, one.below, one.value):
            assert not isfinite(value) or first < value < last
        places = [float(place) for place in re.findall(r' c?x\d?="([-\d.]+)%"', intervals.row(found))]
        assert places and all(0 <= place <= 100 for place in places)


def test_without_an_interval_the_dot_is_hollow_and_without_a_value_there_is_none():
    assert 'class="dot"' in intervals.picture(claim())
    single = intervals.picture(claim(2.0, -inf, inf, nan))
    assert 'class="dot hollow"' in single and 'class="bar"' not in single
    nothing = intervals.picture(claim(nan, -inf, inf, nan))
    assert "circle" not in nothing and 'class="region"' in nothing


def test_labels_of_bounds_that_are_close_are_one():
    far = [(20.0, "−1"), (80.0, "1")]
    assert intervals.labels(far) == far and intervals.labels(far[:1]) == far[:1]
    assert intervals.labels([(45.0, "−1"), (55.0, "1")]) == [(50.0, "−1 to 1")]
    [(place, _)] = intervals.labels([(1.0, "−1"), (3.0, "1")])
    assert place == intervals.NEAR, "words do not leave the picture"


def test_of_two_on_one_scale_the_second_leads():
    one, two = claim(2.0, 1.0, 3.0), claim(-4.0, -5.0, -3.0)
    picture = intervals.picture(one, two)
    first, second = shapes(picture, "dot")
    assert first["cx"] == at(2, -5, 3) and second["cx"] == at(-4, -5, 3) and first["cy"] < second["cy"]
    assert picture.count('class="other"') == 1 and picture.index('class="other"') < picture.index("<circle")


class Spoken(html.parser.HTMLParser):
    """What a screen reader says of the summary of a row: its text, without what is hidden."""

    def __init__(self, text):
        super().__init__()
        self.inside, self.hidden, self.words = False, 0, []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.inside |= tag == "summary"
        self.hidden += bool(self.hidden) or dict(attributes).get("aria-hidden") == "true"

    def handle_endtag(self, tag):
        self.inside &= tag != "summary"
        self.hidden -= bool(self.hidden)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_data(self, words):
        self.words += [words] * (self.inside and not self.hidden)


@pytest.mark.parametrize("verdict, ends", [*zip(VERDICTS, [(-3, -1), (-1, 3), (1, 3)])])
def test_a_row_is_named_by_statement_verdict_and_value_and_hides_its_picture(verdict, ends):
    found = claim(sum(ends) / 2, *ends, unit="points")
    row = intervals.row(found)
    assert " ".join("".join(Spoken(row).words).split()) == f"a < b {verdict} {found.value}"
    assert f'<li class="claim {verdict.replace(" ", "-")}"' in row


def test_a_row_opens_on_all_that_is_known():
    found = claim(
        text="x", paper="one & two", quote="its <own> words", place="section 4", effect="what, less what",
        unit="points", above=0, below=9, why="half of the paper's", value=7.5, value_from="table 3", p=0.0123,
        design="paired", images=True,
    )  # fmt: skip
    row = intervals.row(found, made="<b>laptop</b>")
    for words in (
        "one &amp; two", "its &lt;own&gt; words", "section 4", "what, less what", found.ours, "p = 0.012",
        "between 0 and 9; half of the paper&#x27;s", "7.5 points", "table 3", "<b>laptop</b>",
        "own-figure.name", f"paired: {DESIGNS['paired']}; over images, too",
    ):  # fmt: skip
        assert row.count(words) == 1
    assert "our statistic" not in intervals.facts(claim()), "the paper does not print enough"
    assert "brackets" not in intervals.facts(claim(2.0, -inf, inf, nan)), "one seed has no interval"
    assert (
        intervals.chance(nan) == "–"
        and intervals.chance(1e-5) == "< 0.001"
        and intervals.chance(0.5) == "0.5"
    )


def test_what_verdicts_mean_is_shown_by_intervals_that_have_them():
    assert {*intervals.MEANING} == {*VERDICTS}
    for verdict, (words, shape) in intervals.MEANING.items():
        assert claim(*shape).verdict == verdict and words in intervals.meaning()
