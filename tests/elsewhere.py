"""A device that is not there: tensors that say they are on it, while the CPU computes what they hold.

What a device refuses they refuse, too: tensors of two devices in one operation, NumPy without .cpu(), random
numbers by the generator of another device, and, while a CUDA graph is captured, all that waits for the device
or copies from the host. So the code for devices runs to its end on any machine, and its numbers can be held
against those of the CPU. torch's FakeTensorMode has no numbers, and does not serve where torch is built
without CUDA.
"""

import contextlib

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._mode_utils import no_dispatch
from torch.utils._pytree import tree_leaves, tree_map

aten = torch.ops.aten
COPIES = {aten.copy_.default, aten._to_copy.default}
INDEXED = {aten.index.Tensor, aten.index_put.default, aten.index_put_.default, aten._index_put_impl_.default}
# what the host waits for
AWAITED = {aten._local_scalar_dense.default, aten.nonzero.default, aten.equal.default}
# arguments that are changed, where the schema of an operation does not say so
CHANGED = {aten.native_batch_norm.default: (3, 4)}
DEVICES = ("cuda", "mps")
LACKING = {"mps": torch.float64}  # device -> numbers that it does not have


class There(torch.Tensor):
    """A tensor that says it is on the device `where`; its values are those of `inner`."""

    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, inner: torch.Tensor, where: torch.device):
        if inner.dtype == LACKING.get(where.type):
            raise TypeError(f"Cannot convert a {where.type} Tensor to {inner.dtype}, which it does not have")
        places = inner.shape, inner.stride(), inner.storage_offset()
        found = torch.Tensor._make_wrapper_subclass(cls, *places, dtype=inner.dtype)
        found.inner, found.where = inner.detach(), torch.device(where.type, 0)
        return found

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return _done(func, args, kwargs or {})

    device = property(lambda self: self.where)
    is_cpu = property(lambda self: False)

    def numpy(self, *_, **__):
        """Not without .cpu()."""
        raise TypeError(f"can't convert {self.where} device type tensor to numpy. Use Tensor.cpu() first")

    __array__ = numpy

    def cpu(self):
        """Its values, copied to the host."""
        return _at(self, torch.device("cpu"))

    def to(self, *args, **kwargs):
        """As of any tensor."""
        return _to(self, *args, **kwargs)

    def tolist(self):
        """Its values, copied to the host."""
        return self.cpu().tolist()

    def data_ptr(self):
        """Where its values lie."""
        return self.inner.data_ptr()

    def __deepcopy__(self, memo):
        if id(self) not in memo:
            found = There(self.inner.clone(), self.where).requires_grad_(self.requires_grad)
            found._is_param = getattr(self, "_is_param", False)
            memo[id(self)] = found
        return memo[id(self)]

    @property
    def data(self):
        """Its values, without a gradient."""
        return There(self.inner, self.where)

    @data.setter
    def data(self, values):
        self.inner = values.inner

    def __tensor_flatten__(self):
        """So that a module which goes to another device keeps its parameters, and swaps what they hold."""
        return ["inner"], self.where

    @staticmethod
    def __tensor_unflatten__(parts, where, size, stride):
        return There(parts["inner"], where)

    def __repr__(self, **_):
        return f"There({self.inner}, {self.where})"


def _done(func, args, kwargs):
    """What an operation gives, or the error that a device has for it."""
    leaves = tree_leaves((args, kwargs))
    there = [one for one in leaves if isinstance(one, There)]
    here = [
        one for one in leaves if isinstance(one, torch.Tensor) and not isinstance(one, There) and one.ndim
    ]
    [where] = {one.where for one in there}
    indexed = func in INDEXED and isinstance(args[0], There)
    if here and func not in COPIES and not indexed:
        raise RuntimeError(f"{func}: all tensors are to be on one device, and there are {where} and cpu")
    _check_draw(kwargs.get("generator"), where)
    graph = Graph.capturing
    if graph and (func in AWAITED or here):
        raise RuntimeError(f"{func}: operation not permitted when stream is capturing")
    outer = {id(one.inner): one for one in there}
    if torch.Tag.inplace_view in func.tags:  # the shape of who says so changes, too
        with no_dispatch():
            func(*args, **kwargs)
    args, kwargs = tree_map(_inner, (args, kwargs))
    found = graph.add(func, args, kwargs) if graph else func(*args, **kwargs)
    if func is aten.copy_.default:
        return outer.get(id(args[0]), args[0])

    def wrapped(one):
        if not isinstance(one, torch.Tensor):
            return one
        return outer[id(one)] if id(one) in outer else There(one, where)

    return tree_map(wrapped, found)


def _inner(one):
    return one.inner if isinstance(one, There) else one


class Graph:
    """In place of torch.cuda.CUDAGraph: the operations of a step, which are taken down, and done again."""

    capturing = None

    def __init__(self):
        self.operations, self.before = [], []

    def add(self, func, args, kwargs):
        """Take down an operation; what it changes is changed back when the capture ends."""
        known = zip(func._schema.arguments, args)
        known = [*known, *((one, kwargs[one.name]) for one in func._schema.arguments if one.name in kwargs)]
        changed = [value for one, value in known if one.alias_info and one.alias_info.is_write]
        changed += [args[place] for place in CHANGED.get(func, ())]
        self.before += [(one, one.clone()) for one in tree_leaves(changed) if isinstance(one, torch.Tensor)]
        found = func(*args, **kwargs)
        if not any(one.alias_info and not one.alias_info.is_write for one in func._schema.returns):  # no view
            self.operations.append((func, args, kwargs, found))
        return found

    @torch.no_grad()
    def replay(self):
        """Do all of them, on the same memory."""
        for func, args, kwargs, found in self.operations:
            for old, new in zip(tree_leaves(found), tree_leaves(func(*args, **kwargs))):
                if isinstance(old, torch.Tensor) and old is not new:
                    old.copy_(new)


@contextlib.contextmanager
def _capture(graph, stream=None):
    Graph.capturing = graph
    try:
        yield
    finally:
        Graph.capturing = None
        for one, before in reversed(graph.before):
            one.copy_(before)


class Draw(torch.Generator):
    """A generator that says it is on a device; its numbers are those of one of the CPU."""

    places = {}  # address of what an operation is given of it -> device

    def __new__(cls, device="cpu"):
        found = super().__new__(cls)
        cls.places[found._cdata] = torch.device(device)
        return found

    device = property(lambda self: self.places[self._cdata])


def _check_draw(draw, where: torch.device):
    if draw is not None and (place := Draw.places.get(draw._cdata, draw.device)).type != where.type:
        raise RuntimeError(f"Expected a '{where.type}' device type for generator, not '{place}'")


class Stream:
    """In place of torch.cuda.Stream."""

    def wait_stream(self, other):
        """Nothing to wait for."""


class Elsewhere(TorchFunctionMode):
    """While it is entered, there is a device of that type: cuda or mps."""

    def __init__(self, kind: str):
        super().__init__()
        self.where = torch.device(kind, 0)

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if func is torch.Tensor.to:
            return _to(*args, **kwargs)
        if (device := kwargs.get("device")) is None or torch.device(device).type != self.where.type:
            return func(*args, **kwargs)
        del kwargs["device"]
        _check_draw(kwargs.get("generator"), self.where)
        if func in (torch.tensor, torch.as_tensor) and Graph.capturing:
            raise RuntimeError("operation not permitted when stream is capturing")
        return _at(func(*args, **kwargs), self.where)


def _to(tensor, *args, **kwargs):
    """Tensor.to."""
    device, dtype = kwargs.pop("device", None), kwargs.pop("dtype", None)
    for one in args:
        if isinstance(one, torch.Tensor):
            device, dtype = one.device, one.dtype
        elif isinstance(one, torch.dtype):
            dtype = one
        elif isinstance(one, str | torch.device):
            device = one
    found = torch.Tensor.to(tensor, dtype=dtype, **kwargs) if dtype or kwargs else tensor
    return found if device is None else _at(found, torch.device(device))


def _at(tensor, device: torch.device):
    """A tensor on that device: the same one where it is there already."""
    if tensor.device.type == device.type:
        return tensor
    if Graph.capturing:
        raise RuntimeError("operation not permitted when stream is capturing")
    assert not (tensor.requires_grad and torch.is_grad_enabled()), "no gradient passes from device to device"
    return _inner(tensor).clone() if device.type == "cpu" else There(tensor.clone(), device)


@contextlib.contextmanager
def device(kind: str, monkeypatch):
    """A device of that type, cuda or mps, is here, and its generators and graphs."""
    monkeypatch.setattr(torch, "Generator", Draw)
    stubs = {"CUDAGraph": Graph, "Stream": Stream, "current_stream": Stream, "graph": _capture}
    for name, stub in stubs.items():
        monkeypatch.setattr(torch.cuda, name, stub)
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: contextlib.nullcontext())
    with Elsewhere(kind):
        yield
