"""What becomes of the weights that pruning leaves, before they are trained again."""

import torch
from torch import nn


def rewind_(model: nn.Module, values: dict[str, torch.Tensor]) -> None:
    """Set the parameters of `model` to `values`, in place; batch-norm statistics start afresh."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(values[name])
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.reset_running_stats()


def sigma_sign_(model: nn.Module, values: dict[str, torch.Tensor]) -> None:
    """Set every entry of a parameter to the sign that it has in `values`, times one standard deviation.

    It is that of all `values` of the parameter. Biases, too. Source: Zhou et al. 2019; Paganini & Forde 2020,
    and their released code.
    """
    signs = {
        name: value.std() * value.sign() if value.numel() > 1 else value for name, value in values.items()
    }
    rewind_(model, signs)


def sign_(model: nn.Module, values: dict[str, torch.Tensor]) -> None:
    """Set every entry of every parameter to the sign that it has in `values`. Source: as sigma_sign_."""
    rewind_(model, {name: value.sign() for name, value in values.items()})


def _go_on(model: nn.Module, values: dict[str, torch.Tensor]) -> None:
    """Leave everything as it is."""


# treatment of the weights that are left -> function(model, values), in place; values are those of the rewind
# point, or, for reinit, those of another initialization
TREATMENTS = {
    "rewind": rewind_,
    "finetune": _go_on,  # at the last learning rate of the dense network
    "lr-rewind": _go_on,  # with all learning rates of the dense network again; Renda et al. 2020
    "reinit": rewind_,
    "sigma-sign": sigma_sign_,
    "sign": sign_,
}
