"""One step of a stack of networks; on a GPU of CUDA, it is one replay of a graph."""

import warnings
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from sifting.config import Config
from sifting.training.reference import make_optimizer
from sifting.training.stack import Splits, Stack


class Step:
    """One step of all replicas between fixed buffers, as reference.Stepper.step.

    It is called once `index` is filled.

    index : (batch, replicas), int64, the images of the next step
    sums  : (2, replicas), loss and accuracy summed over the steps since they were set to zero

    On a GPU of CUDA the step is captured in a graph, and a call replays it.
    """

    def __init__(
        self, stack: Stack, splits: Splits, masks: list[dict[str, Tensor]], configs: list[Config], batch: int
    ):
        self.stack, self.splits = stack, splits
        self.index = torch.zeros(batch, len(stack), dtype=torch.int64, device=stack.device)
        self.sums = torch.zeros(2, len(stack), device=stack.device)
        self.optimizers = [
            make_optimizer(stack.replica(number), config, fused=True) for number, config in enumerate(configs)
        ]
        self.pruned, self.masks = [], []
        for name in {name: None for some in masks for name in some}:
            value = stack.values[name].detach()
            all_kept = torch.ones_like(value[0], dtype=torch.bool)
            mask = torch.stack([some.get(name, all_kept) for some in masks])
            if not mask.all():
                self.pruned.append(value)
                self.masks.append(mask.to(value.dtype))
        self.prune()
        self._replay = self.capture() if stack.device.type == "cuda" else None

    def __call__(self) -> None:
        """Take the step: captured where there is a CUDA graph, plainly otherwise."""
        self._replay() if self._replay else self.plain()

    def plain(self) -> None:
        """The step itself."""
        x, y = self.splits.batch(self.index)
        logits = self.stack.forward(x.to(self.stack.dtype), training=True)
        # replica after replica, contiguous: then sums over images round alike for every one of them
        logits, y = logits.transpose(0, 1).contiguous(), y.mT
        losses = F.cross_entropy(logits.flatten(0, 1), y.flatten(), reduction="none").view_as(y).mean(1)
        self.stack.backward(losses.sum())
        for optimizer in self.optimizers:
            optimizer.step()
        self.prune()
        for count in self.stack.counts:
            count += 1
        self.sums += torch.stack([losses.detach(), (logits.argmax(2) == y).float().mean(1)])

    def prune(self) -> None:
        """Set every pruned weight to exactly 0."""
        if self.pruned:
            torch._foreach_mul_(self.pruned, self.masks)

    @torch.no_grad()
    def rehearse(self, times: int = 3) -> None:
        """Take steps and undo them: after that all memory and all libraries that a step needs are there."""
        before = {name: value.clone() for name, value in self.stack.values.items()}
        with torch.enable_grad():
            for _ in range(times):
                self.plain()
        for name, value in self.stack.values.items():
            value.copy_(before[name])
        for optimizer in self.optimizers:
            for state in optimizer.state.values():
                for value in state.values():
                    if value is not None:
                        value.zero_()
        self.sums.zero_()

    def capture(self) -> Callable[[], None] | None:
        """What replays the step as one CUDA graph; None, and a warning, where it cannot be captured.

        Source: https://docs.pytorch.org/docs/stable/notes/cuda.html, "Whole-network capture".
        """
        graph, side = torch.cuda.CUDAGraph(), torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        replay = graph.replay
        with torch.cuda.stream(side):
            self.rehearse()
            for optimizer in self.optimizers:
                optimizer.param_groups[0]["capturable"] = True  # Adam asks for it
            try:
                with torch.cuda.graph(graph, stream=side):
                    self.plain()
            except RuntimeError as error:
                warnings.warn(f"steps are slow, for want of a CUDA graph: {error}", stacklevel=2)
                replay = None
        torch.cuda.current_stream().wait_stream(side)
        return replay
