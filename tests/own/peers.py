"""Scores of torch-pruning for channels of known networks, as tests compare them; with it installed,

    python -m tests.own.peers

writes them anew to torch_pruning.json. Its importances, of the first layer of each group, not normalized:
GroupMagnitudeImportance, p = 1 and 2 (sums of |w|^p of a channel), GroupTaylorImportance (of |w dL/dw|), and
BNScaleImportance (|gamma|), of torch-pruning 1.6.1, Fang et al. 2023, github.com/VainF/Torch-Pruning.
"""

import importlib.metadata
import json
import pathlib

import torch
from torch import nn
from torch.nn import functional as F

from sifting.training.layers import batch_statistics_, layers
from tests.own.networks import resnet18, vgg11

FILE = pathlib.Path(__file__).with_name("torch_pruning.json")
FEW = 6  # channels of each layer that are kept in the file
NETWORKS = {"resnet18": resnet18, "vgg11_bn": lambda: vgg11("vgg11_bn")}
CHOSEN = {
    "resnet18": ("conv1", "layer1.0.conv1", "layer3.0.downsample.0", "layer4.1.conv2"),
    "vgg11_bn": ("features.0", "features.4", "features.25", "classifier.0"),
}


def filled(name):
    """A known network whose values are formulas, so that they depend on no random numbers."""
    model = NETWORKS[name]().double().eval()
    with torch.no_grad():
        for number, value in enumerate(model.parameters()):
            places = torch.arange(value.numel(), dtype=torch.float64)
            scale = 1.5 / value[0].numel() ** 0.5 if value.ndim > 1 else 1
            value.copy_((torch.sin(0.73 * places * (1 + places % 7) + number) * scale).view_as(value))
    return model


def batch():
    """Images and classes."""
    places = torch.arange(4 * 3 * 32 * 32, dtype=torch.float64)
    return torch.sin(0.011 * places * (1 + places % 5)).view(4, 3, 32, 32), torch.arange(4)


def scores():
    """network -> layer -> importance -> the first FEW channels, by torch-pruning."""
    tp = importlib.import_module("torch_pruning")
    options = {"group_reduction": "first", "normalizer": None, "bias": False}
    importances = {
        "l1": tp.importance.GroupMagnitudeImportance(p=1, **options),
        "l2": tp.importance.GroupMagnitudeImportance(p=2, **options),
        "taylor": tp.importance.GroupTaylorImportance(**options),
    }
    found = {}
    for name, chosen in CHOSEN.items():
        model, (x, y) = filled(name), batch()
        F.cross_entropy(batch_statistics_(model)(x), y).backward()
        model.eval()
        graph, known = tp.DependencyGraph().build_dependency(model, x), layers(model)
        for layer in chosen:
            conv = isinstance(known[layer], nn.Conv2d)
            prune = tp.prune_conv_out_channels if conv else tp.prune_linear_out_channels
            group = graph.get_pruning_group(known[layer], prune, list(range(len(known[layer].weight))))
            for kind, importance in importances.items():
                found.setdefault(name, {}).setdefault(layer, {})[kind] = importance(group)[:FEW].tolist()
            if name == "vgg11_bn" and conv:
                scale = tp.importance.BNScaleImportance(group_reduction="first", normalizer=None)
                found[name][layer]["scale"] = scale(group)[:FEW].tolist()
    return {"torch-pruning": importlib.metadata.version("torch-pruning"), "scores": found}


if __name__ == "__main__":
    FILE.write_text(json.dumps(scores(), indent=1) + "\n", encoding="utf-8")
