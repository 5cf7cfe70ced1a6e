"""Runs in which everything is known, and those of the book."""

from sifting import store
from sifting.publish import asked, plans
from sifting.results.history import History


class Known(History):
    """A run whose `arrays` are made up, and may be changed; it reads like one of a file."""

    arrays: dict

    def __getitem__(self, name):
        return self.arrays[name]

    def names(self):
        return list(self.arrays)


def of_the_book(chapter: str) -> dict[str, list[History]]:
    """Group -> the stored runs that a chapter shows, of the first kind of results that it needs of the group.

    Raises FileNotFoundError for one that is not stored: a test does not compute the book.
    """
    _, base, seeds = asked.settle(chapter, None, None, {})
    found = {}
    for (kind, group), configs in plans.plan(chapter, base, seeds).items():
        found.setdefault(group, [store.load(kind, config) for config in configs])
    return found
