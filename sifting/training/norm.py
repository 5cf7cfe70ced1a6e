"""Batch norm of the sparse engine, as the scale and shift that it amounts to, with gradients by hand."""

import torch
from torch import Tensor, nn

from sifting.training.units import Units


class Norm:
    """Batch norm over (units, images), some of whose units are constant.

        scale = gamma / sqrt(var + eps)      shift = beta + scale (constant - mean)

    where `constant` is 0 for units that vary. In training a constant unit is its own mean and leaves
    beta; in evaluation the running mean may still be elsewhere.
    """

    def __init__(self, module: nn.BatchNorm1d, units: Units):
        self.module, self.units = module, units
        self.mean, self.var = module.running_mean[units.order], module.running_var[units.order]

    def bind(self, values: tuple[Tensor, Tensor], grads: tuple[Tensor, Tensor]) -> None:
        """Take gamma and beta, (units,) each, and their gradients as the storage of this layer."""
        (self.gamma, self.beta), (self.dgamma, self.dbeta) = values, grads

    def observe(self, h: Tensor, constant: Tensor) -> tuple[Tensor, Tensor]:
        """Scale and shift by the statistics of a batch, which the running ones follow.

        h : (computed, images)
        """
        computed, images = h.shape
        mean, var = torch.zeros_like(self.mean), torch.zeros_like(self.var)
        torch.mean(h, 1, out=mean[:computed])
        torch.linalg.vector_norm(h - mean[:computed, None], dim=1, out=var[:computed])
        var.square_().div_(images)
        mean[computed:] = constant
        self._follow(mean, var, images)
        mean[computed:] = 0
        return self._use(-mean, var)

    def observe_pixels(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The same of a batch of images, (images, inputs), in the model's order.

        Constant pixels are like others.
        """
        mean, var = torch.batch_norm_update_stats(x, None, None, 0)
        mean, var = mean[self.units.order], var[self.units.order]
        self._follow(mean, var, len(x))
        return self._use(-mean, var)

    def recall(self, constant: Tensor) -> tuple[Tensor, Tensor]:
        """Scale and shift by the running statistics."""
        offset = -self.mean
        offset[len(offset) - len(constant) :] += constant
        return self._use(offset, self.var)

    def backward(self, h: Tensor, d: Tensor | None, dscale: Tensor, dshift: Tensor) -> Tensor | None:
        """Keep the gradients of gamma and beta; return that of h, (active, images).

        d : (active, images), dL/d(scale h + shift), or None where nobody needs that of h; dscale, dshift :
        (units,), the gradients of scale and shift. In training these depend on h by its mean and variance.
        """
        torch.addcmul(dscale, self.offset, dshift, out=self.dgamma).mul_(self.rstd)
        self.dbeta.copy_(dshift)
        if d is None:
            return None
        active, images = d.shape
        slope = self.scale * self.rstd * self.dgamma / -images
        level = slope * self.offset - self.scale * dshift / images
        return torch.addcmul(level[:active, None], slope[:active, None], h[:active]).addcmul_(
            self.scale[:active, None], d
        )

    def write_back(self, steps: int) -> None:
        """Give the module its running statistics after that many more steps."""
        self.module.running_mean[self.units.order] = self.mean
        self.module.running_var[self.units.order] = self.var
        self.module.num_batches_tracked += steps

    def _follow(self, mean: Tensor, var: Tensor, images: int) -> None:
        momentum = self.module.momentum
        self.mean.mul_(1 - momentum).add_(mean, alpha=momentum)
        self.var.mul_(1 - momentum).add_(var, alpha=momentum * images / (images - 1))

    def _use(self, offset: Tensor, var: Tensor) -> tuple[Tensor, Tensor]:
        self.offset, self.rstd = offset, (var + self.module.eps).rsqrt_()
        self.scale = self.gamma * self.rstd
        return self.scale, torch.addcmul(self.beta, self.scale, offset)
