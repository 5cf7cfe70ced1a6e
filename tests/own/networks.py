"""Networks that are not of this project, small enough for tests."""

import torch
from torch import nn

from sifting.data.archives import torchvision


class Net(nn.Module):
    """With dropout, which draws numbers, and batch norm."""

    def __init__(self, classes=3):
        super().__init__()
        self.conv, self.norm, self.drop = nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.3)
        self.hidden, self.head = nn.Linear(64, 12), nn.Linear(12, classes)

    def forward(self, x):
        return self.head(self.drop(self.hidden(self.norm(self.conv(x)).relu().flatten(1)).relu()))


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
