"""A fully connected run, and its networks by the measures of all four papers."""

from sifting import representations, surface, utility
from sifting.config import Config
from sifting.measured import measured
from sifting.packing import Arrays, pack_probed
from sifting.tickets import level_count, teams

__all__ = ["find", "find_together", "level_count", "pack_probed", "teams"]


class Probe:
    """What random sets of weights are worth, accuracy between networks, and how far from Gaussian units are."""

    def __init__(self, config: Config, device: str):
        self.parts = utility.Probe(config, device), surface.Probe(config, device)
        self.images = representations.Probe(config, device)

    def measure(self, records: list[Arrays]) -> Arrays:
        """What utility.Probe and surface.Probe add to the record of a level, and

        probe/kurtosis : (units,) of the preactivations of the trained first layer, over the images of representations.Probe
        """
        found = {"probe/kurtosis": self.images.kurtosis(records)}
        for part in self.parts:
            found |= part.measure(records)
        return found


find, find_together = measured(Probe)
