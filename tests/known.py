"""Runs in which everything is known."""

from sifting.results.history import History


class Known(History):
    """A run whose `arrays` are made up, and may be changed; it reads like one of a file."""

    arrays: dict

    def __getitem__(self, name):
        return self.arrays[name]

    def names(self):
        return list(self.arrays)
