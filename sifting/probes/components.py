"""What images are made of: their independent and their principal components, and how local these are."""

import warnings

import numpy as np
import threadpoolctl
import torch

from sifting import observables
from sifting.config import Config
from sifting.data import load
from sifting.results.packing import Arrays
from sifting.store.experiment import Experiment

COUNT = 64  # components; Redman et al. 2024, appendix A
IMAGES = 50_000  # the same: as many as ImageNet has for validation
LARGEST = 0.05  # share of the weights of a component that its mask keeps, the largest ones
ITERATIONS = 400  # at most, of FastICA


def compute(config: Config, device: str = "cpu", engine: str = "auto") -> Arrays:
    """Components of the training images as a network sees them, by scikit-learn; on the CPU, on one thread.

    On two, BLAS adds up in another order, and FastICA ends in other components: its objective has many
    optima.

    returns, for every METHOD of ica and pca:

    METHOD              : (COUNT, inputs), rows that the images are multiplied by
    METHOD/kurtosis     : (COUNT,) of the images' products with each
    METHOD/localization : (COUNT,) Λ of the mask of the largest weights of each, against pairs from different
                          components
    shape               : (channels, height, width)
    iterations          : that FastICA took, ITERATIONS where it did not converge

    Source: Redman et al. 2024, appendix A.
    """
    from sklearn.decomposition import PCA, FastICA
    from sklearn.exceptions import ConvergenceWarning  # imported first: only what is loaded is limited

    with threadpoolctl.threadpool_limits(1):
        data = load(config)
        x = data.train.batch(torch.arange(min(IMAGES, len(data.train))))[0].numpy()
        count = min(COUNT, *x.shape)
        ica = FastICA(count, whiten="unit-variance", max_iter=ITERATIONS, tol=1e-3, random_state=config.seed)
        pca = PCA(count, random_state=config.seed)
        record = {"shape": np.array(data.shape)}
        for name, method in {"ica": ica, "pca": pca}.items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # `iterations` tells
                rows = method.fit(x).components_
            products = (x - x.mean(0)).astype(np.float64) @ rows.T
            record |= {
                name: rows.astype(np.float32),
                f"{name}/kurtosis": observables.gaussianity.kurtosis(products),
                f"{name}/localization": observables.locality.localization(largest(rows), data.shape),
            }
    return record | {"iterations": np.array(ica.n_iter_)}


def largest(rows: np.ndarray) -> np.ndarray:
    """Masks of the largest weights of each row: bool, as `rows`, with the same number kept in each."""
    count = max(2, round(LARGEST * rows.shape[1]))
    least = np.sort(abs(rows), axis=1)[:, -count, None]
    return abs(rows) >= least


COMPONENTS = Experiment.once(compute)
