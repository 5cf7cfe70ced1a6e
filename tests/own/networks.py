"""Networks that are not of this project, small enough for tests."""

import torch
from torch import nn

from sifting.data.archives import torchvision


def resnet18():
    """That of torchvision, with random weights, for ten classes."""
    torch.manual_seed(0)
    return torchvision().models.resnet18(num_classes=10)


def vgg11(name="vgg11"):
    """That of torchvision, with random weights; its linear maps, 120 million weights, are small ones."""
    with torch.device("meta"):
        features = getattr(torchvision().models, name)().features
    torch.manual_seed(0)
    model = nn.Sequential()
    model.features, model.average = features.to_empty(device="cpu"), nn.AdaptiveAvgPool2d(1)
    model.flatten, model.dropout = nn.Flatten(), nn.Dropout()
    model.classifier = nn.Sequential(nn.Linear(512, 48), nn.ReLU(True), nn.Dropout(), nn.Linear(48, 10))
    for layer in model.modules():
        if hasattr(layer, "reset_parameters"):
            layer.reset_parameters()
    return model


KNOWN = {"resnet18": resnet18, "vgg11": vgg11}
