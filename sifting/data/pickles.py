"""Archives of CIFAR and ImageNet are pickles. A pickle can run anything; here it only describes arrays."""

import pickle
import re
from pathlib import Path

import numpy as np


class _Dtype:
    """What a pickle says about the type of an array: a kind of number, and its byte order."""

    def __init__(self, code, *_):
        code = _text(code).lstrip("|<>=")
        if not re.fullmatch("[iuf][1248]", code):
            raise pickle.UnpicklingError(f"refused: arrays of {code!r}")
        self.dtype = np.dtype(code)

    def __setstate__(self, state):
        order = _text(state[1])
        self.dtype = self.dtype.newbyteorder(order if order in "<>" else "=")


class _Array:
    """What a pickle says about an array; numpy's own reconstruction would trust it with raw memory."""

    def __init__(self, *_):
        self.array = np.empty(0)

    def __setstate__(self, state):
        _, shape, kind, fortran, content = state
        self.array = np.frombuffer(content, kind.dtype).reshape(shape, order="F" if fortran else "C")


def _encode(text, encoding="latin1"):
    if _text(encoding) != "latin1":
        raise pickle.UnpicklingError(f"refused: bytes encoded as {encoding!r}")
    return text.encode("latin1") if isinstance(text, str) else text


def _text(value) -> str:
    return value.decode("latin1") if isinstance(value, bytes) else value


# all that the archives name, each replaced by a stand-in from this file
_KNOWN = {
    "numpy.core.multiarray._reconstruct": _Array,
    "numpy.ndarray": "ndarray",
    "numpy.dtype": _Dtype,
    "_codecs.encode": _encode,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        full = f"{module}.{name}"
        known = full.replace("numpy._core.", "numpy.core.")
        if known not in _KNOWN:
            raise pickle.UnpicklingError(f"refused: it would run {full}")
        return _KNOWN[known]


def read_pickle(path: Path) -> dict:
    """A pickled dictionary of arrays, numbers, texts and lists. Nothing in the file is executed.

    Raises ValueError naming the file when it is damaged, or names anything but numpy arrays
    ("refused: it would run os.system").
    """
    with open(path, "rb") as file:
        try:
            content = _Unpickler(file, encoding="bytes").load()
            return {_text(k): v.array if isinstance(v, _Array) else v for k, v in content.items()}
        except Exception as error:  # a damaged pickle raises almost anything
            raise ValueError(f"{path} cannot be read: {error}") from error
