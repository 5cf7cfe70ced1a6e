"""Where to compute: the devices that are here, and the CPU for what one of them lacks. Imports torch late."""

import contextlib
import platform
import sys
from collections.abc import Callable
from typing import Any

from sifting.config import DEVICES, choose

LACKS = NotImplementedError, TypeError  # what torch raises for an operation, and for numbers, that MPS lacks
told = set()  # what this process computes on the CPU instead of MPS


def resolve(device: str) -> str:
    """The device, for what was asked for: cpu, cuda or mps.

    Raises ValueError for unknown names, and where torch sees no such device.
    """
    import torch

    choose("device", device, DEVICES)
    here = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if device == "auto":
        return "cuda" if here["cuda"] else "cpu"
    if not here.get(device, True):
        gpu = {"cuda": "GPU", "mps": "Metal GPU"}[device]
        raise ValueError(f"device {device}: torch sees no {gpu} here; use device=cpu, or device=auto")
    return device


def model(device: str) -> str:
    """What stands in results: the model of the GPU or of the processor."""
    import torch

    if device == "cuda":
        return torch.cuda.get_device_name()
    return processor() if device == "cpu" else f"{processor()}, {device}"


def computed(what: str, device: str, compute: Callable[[str], Any]) -> tuple[Any, str]:
    """What compute(device) returns, and the device.

    MPS has not all operations, and no double precision: what needs them is computed on the CPU, and a line
    says so, once for each `what`.
    """
    if device == "mps" and what in told:
        device = "cpu"
    try:
        return compute(device), device
    except LACKS as error:
        if device != "mps" or "mps" not in str(error).lower():
            raise
        why = str(error).partition("\n")[0].partition(". ")[0]
        print(f"device mps: {why}; {what} is computed on the CPU", file=sys.stderr)
        told.add(what)
    return compute("cpu"), "cpu"


def processor() -> str:
    """The model of this machine's processor."""
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
