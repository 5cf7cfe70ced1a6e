#!/bin/sh
# A copy of a parametrized module is not independent of the original.
#
# torch 2.13.0, Python 3.11 or 3.12. torch.nn.utils.parametrize puts a parametrized tensor behind a property of a class
# that it makes for this one module. copy.deepcopy copies the parameters, but the copy shares that class. So
# remove_parametrizations on the copy, which deletes the property, breaks the original: its `weight` is gone, though
# its parametrization is still there. One expects a deep copy to be free to change.
# What to do: read the effective weights of a module (getattr(module, name)) and put them into a fresh one, or remove
# parametrizations from the original itself.
# Docs: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrize.remove_parametrizations.html
set -eu
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet numpy==2.4.6 torch==2.13.0
cat > "$here/seen.py" <<'PYTHON'
import copy

import torch
from torch import nn
from torch.nn.utils import parametrize


class Half(nn.Module):
    def forward(self, weight):
        return weight / 2


original = nn.Linear(3, 3)
parametrize.register_parametrization(original, "weight", Half())
before = original.weight.detach().clone()
copied = copy.deepcopy(original)
assert type(copied) is type(original), "the copy has a class of its own now"
parametrize.remove_parametrizations(copied, "weight")
assert torch.equal(copied.weight, before), "the copy is as it should be"
assert hasattr(original, "parametrizations"), "the original still has its parametrization"
try:
    original.weight
except AttributeError as error:
    print(f"torch {torch.__version__}: the original, which was not touched, says: {error}")
else:
    raise SystemExit("changed: the original is left as it was")
PYTHON
"$here/venv/bin/python" "$here/seen.py"
