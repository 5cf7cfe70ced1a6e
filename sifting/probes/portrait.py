"""A fully connected run, and its networks by the measures of all four papers."""

from sifting.config import Config
from sifting.probes import gaussianity, surface, utility
from sifting.probes.probed import measured
from sifting.results.packing import Arrays


class Probe:
    """What sets of weights are worth, accuracy between networks, how far from Gaussian units are."""

    def __init__(self, config: Config, device: str):
        self.parts = utility.Probe(config, device), surface.Probe(config, device)
        self.images = gaussianity.Probe(config, device)

    def measure(self, records: list[Arrays]) -> Arrays:
        """What utility.Probe and surface.Probe measure, and

        kurtosis : (units,) of the preactivations of the trained first layer, on the images of
                   gaussianity.Probe
        """
        found = {"kurtosis": self.images.kurtosis(records)}
        for part in self.parts:
            found |= part.measure(records)
        return found


PORTRAIT = measured(Probe)
