"""Ways to train like the reference, each cheaper somewhere; tests hold them all against it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import nn

from sifting.config import Config, choose
from sifting.training import kept, reference, replicas, sparse


def no_numbers(words: Sequence[str]) -> list:
    """What an engine reads whose arithmetic depends on no numbers. Raises ValueError for any."""
    if words:
        raise ValueError(f"no numbers are known, and these are given: {' '.join(words)}")
    return []


@dataclass(frozen=True)
class Engine:
    """A way to train. One that takes its steps otherwise, and does no more, needs `train` alone.

    train     : function(model, masks, data, config, level, start, after, progress, *numbers), as
                reference.train
    objection : function(config, device) -> why it does not train such a run, as "model fcn, not lenet", or ""
    settle    : function(model, config) -> the numbers that its arithmetic depends on, besides the config
    read      : function(words) -> these numbers, from text; raises ValueError for others
    together  : function that trains several networks at once, as replicas.train; None where there is none

    A new one is a line in ENGINES; where it takes its steps otherwise, its `train` puts a stepper of its own
    into reference.loop. The tests of engines then hold it against the reference.
    """

    train: Callable[..., dict[str, list[float]]]
    objection: Callable[[Config, str], str] = lambda config, device: ""
    settle: Callable[[nn.Module, Config], Sequence] = lambda model, config: ()
    read: Callable[[Sequence[str]], Sequence] = no_numbers
    together: Callable[..., list[dict]] | None = None


ENGINES = {
    "reference": Engine(reference.train),
    "kept": Engine(kept.train, kept.objection, kept.settle, kept.read),
    "sparse": Engine(sparse.train, sparse.objection, sparse.settle, sparse.read),
    "replicas": Engine(
        replicas.train_one, replicas.objection, replicas.settle, replicas.read, replicas.train
    ),
}
AUTO = ("kept", "sparse", "replicas", "reference")  # "auto" is the first of these that does not object


@dataclass(frozen=True)
class Settled:
    """An engine and the numbers that its arithmetic depends on: with these, the same bits.

    words : the numbers, as text. str() is "replicas 8", for instance; so it stands in stored results
    """

    name: str
    words: tuple[str, ...] = ()

    def __str__(self):
        return " ".join([self.name, *self.words])

    @property
    def numbers(self) -> Sequence:
        """The numbers, as the engine takes them."""
        return ENGINES[self.name].read(self.words)

    @property
    def together(self) -> Callable[..., list[dict]] | None:
        """What trains several networks at once by this engine, if it can."""
        return ENGINES[self.name].together

    def train(self, *arguments) -> dict[str, list[float]]:
        """Train a network. `arguments` : all of reference.train, up to `progress`."""
        return ENGINES[self.name].train(*arguments, *self.numbers)


def read(text: str) -> Settled:
    """An engine from its name, or from what str() makes of one that is settled.

    Raises ValueError, naming the choices, for an unknown engine, and for numbers that it does not take.
    """
    name, *words = text.split(" ")
    choose("engine", name, choices := ("auto", *sorted(ENGINES)))
    try:
        ENGINES[name].read(words)
    except (KeyError, ValueError):
        names = ", ".join(choices)
        raise ValueError(f"no engine is settled as {text!r}; a name will do: {names}") from None
    return Settled(name, tuple(words))


def resolve(engine: str, config: Config, device: str = "cpu") -> Settled:
    """The engine that trains a run, for what was asked for; its numbers may still be open.

    engine : auto, a name in ENGINES, or what str() makes of one that is settled

    Raises ValueError, naming the choices, for an unknown engine, and for one that does not train `config`.
    """
    if engine == "auto":
        return Settled(next(name for name in AUTO if not ENGINES[name].objection(config, device)))
    settled = read(engine)
    if why := ENGINES[settled.name].objection(config, device):
        raise ValueError(f"the engine {settled.name} trains {why}; choose auto or reference")
    return settled


def settle(engine: str, model: nn.Module, config: Config) -> Settled:
    """The engine that `resolve` finds for a network on its device, with all of its numbers.

    Numbers that are given with the name stay as they are.
    """
    settled = resolve(engine, config, next(model.parameters()).device.type)
    if settled.words:
        return settled
    return Settled(settled.name, tuple(map(str, ENGINES[settled.name].settle(model, config))))
