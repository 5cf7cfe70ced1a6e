"""Which way images are turned, where it is known."""

import numpy as np
import pytest
import torch

from sifting import config
from sifting.probes import orientation


class Known:
    """Images of gratings at two right angles, turned by an angle, at places that differ."""

    def __init__(self, angle, size=24, count=400):
        draw, turn = np.random.default_rng(0), np.radians(angle)
        y, x = np.mgrid[:size, :size]
        along = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
        waves = [np.sin(along[n % 2] * 0.8 + draw.uniform(0, 2 * np.pi)) for n in range(count)]
        self.images, self.shape = torch.tensor(np.array(waves)).reshape(count, -1), (1, size, size)
        self.train = self

    def __len__(self):
        return len(self.images)

    def batch(self, index):
        return self.images[index], None


@pytest.mark.parametrize("angle", [0, 20, -30])
def test_the_direction_of_gratings_is_their_own(angle, monkeypatch):
    monkeypatch.setattr(orientation, "load", lambda _: Known(angle))
    assert orientation.of_images(config.preset("smoke")) == pytest.approx(angle, abs=3)
