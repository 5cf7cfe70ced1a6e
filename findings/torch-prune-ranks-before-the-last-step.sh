#!/bin/sh
# torch.nn.utils.prune, called again after a training, ranks the weights of before the last optimizer step.
#
# torch 2.13.0 (CPU), Python 3.11 or 3.12. A pruned layer keeps its parameter as weight_orig; weight is only an attribute,
# the product with the mask, which a hook computes before every forward pass. l1_unstructured, ln_structured and
# global_unstructured read that attribute when no importance_scores are given, and do not compute it anew. So in a loop of
# "train, prune, rewind" that calls them behind optimizer.step(), magnitudes are those of one step earlier; after
# load_state_dict, or after weights are set back in weight_orig, they are those of the network of before. A forward pass
# in between, as for an evaluation, hides it. One expects the weights that the network has.
# What to do: give importance_scores=layer.weight_orig, or run the network once before it is pruned.
# prune.remove is not concerned: it multiplies weight_orig by the mask at that moment.
# Source: https://github.com/pytorch/pytorch/blob/v2.13.0/torch/nn/utils/prune.py (BasePruningMethod.apply, __call__, remove)
set -eu
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet torch==2.13.0 numpy==2.4.6
cat > "$here/seen.py" <<'PYTHON'
import torch
from torch.nn.utils import prune


def pruned_once():
    layer = torch.nn.Linear(4, 1, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.1, 2.0, 3.0, 4.0]]))
    prune.l1_unstructured(layer, "weight", amount=1)  # takes the first
    return layer


def trained(layer):
    """One step that makes the second weight the largest, and the last the smallest."""
    step = torch.optim.SGD(layer.parameters(), lr=1.0)
    layer(torch.tensor([[0.0, -4.0, 0.0, 3.0]])).sum().backward()
    step.step()
    return layer


def removed(layer, **how):
    before = layer.weight_mask.clone()
    prune.l1_unstructured(layer, "weight", amount=1, **how)
    return int((before != layer.weight_mask).flatten().nonzero())


layer, shown, scored, pooled, columns = (trained(pruned_once()) for _ in range(5))
shown(torch.ones(1, 4))
smallest = int(torch.where(layer.weight_mask > 0, layer.weight_orig.abs(), torch.inf).argmin())
seen = {
    "after a step": removed(layer),
    "after a step and a forward pass": removed(shown),
    "with importance_scores=weight_orig": removed(scored, importance_scores=scored.weight_orig),
}
prune.global_unstructured([(pooled, "weight")], prune.L1Unstructured, amount=1)
prune.ln_structured(columns, "weight", amount=1, n=1, dim=1)
assert pooled.weight_mask.tolist() == columns.weight_mask.tolist() == [[0.0, 0.0, 1.0, 1.0]], "changed: in one pool, or columns"
print("in one pool, and whole columns: weight 1 is removed, too")
loaded = pruned_once()
loaded.load_state_dict(trained(pruned_once()).state_dict())
seen["after load_state_dict"] = removed(loaded)
whole = trained(pruned_once())
prune.remove(whole, "weight")
print(f"torch {torch.__version__}: the smallest weight that is left has number {smallest}")
for when, number in seen.items():
    print(f"{when}: weight {number} is removed")
print(f"prune.remove leaves {whole.weight.tolist()}")
assert smallest == 3
assert seen == {"after a step": 1, "after a step and a forward pass": 3, "with importance_scores=weight_orig": 3, "after load_state_dict": 1}, "changed"
assert whole.weight.tolist() == [[0.0, 6.0, 3.0, 1.0]], "changed: remove takes the old product, too"
PYTHON
"$here/venv/bin/python" "$here/seen.py"
