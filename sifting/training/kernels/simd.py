"""Vectors of numbers in a processor's registers, for kernels that numba compiles.

A compiler may reorder no sum by itself, so that a sum over images is as slow as one addition after another.
Here the order is written down: a vector holds partial sums, `total` adds them up in pairs. It is the same
on every processor, however wide its registers are, and wherever an array begins.
"""

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, models, register_model

I32 = ir.IntType(32)


class Vector(types.Type):
    """Numbers of one type, side by side. `lanes` : how many, a power of 2."""

    def __init__(self, dtype, lanes: int):
        self.dtype, self.lanes = dtype, lanes
        super().__init__(name=f"Vector({dtype}, {lanes})")


@register_model(Vector)
class _Model(models.PrimitiveModel):
    def __init__(self, manager, kind):
        number = manager.lookup(kind.dtype).get_value_type()
        super().__init__(manager, kind, ir.VectorType(number, kind.lanes))


def loader(lanes: int):
    """A function load(array, index) -> the numbers of a flat array from that index on, in so many lanes."""

    @intrinsic
    def load(context, array, index):
        kind = Vector(array.dtype, lanes)

        def generate(context, builder, signature, arguments):
            found = builder.load(_place(context, builder, signature.args[0], *arguments, kind))
            found.align = array.dtype.bitwidth // 8
            return found

        return kind(array, types.intp), generate

    return load


def splatter(lanes: int):
    """A function splat(number) -> the number in every one of so many lanes."""

    @intrinsic
    def splat(context, number):
        kind = Vector(number, lanes)

        def generate(context, builder, signature, arguments):
            empty = ir.Constant(context.get_value_type(kind), ir.Undefined)
            first = builder.insert_element(empty, arguments[0], ir.Constant(I32, 0))
            return builder.shuffle_vector(first, empty, _numbers([0] * lanes))

        return kind(number), generate

    return splat


@intrinsic
def store(context, array, index, vector):
    """Put a vector into a flat array, from that index on."""

    def generate(context, builder, signature, arguments):
        place = _place(context, builder, signature.args[0], *arguments[:2], vector)
        builder.store(arguments[2], place).align = array.dtype.bitwidth // 8
        return context.get_dummy_value()

    return types.void(array, types.intp, vector), generate


@intrinsic
def fma(context, a, b, c):
    """a b + c, rounded once."""

    def generate(context, builder, signature, arguments):
        kind = context.get_value_type(a)
        name = f"llvm.fma.v{a.lanes}f{a.dtype.bitwidth}"
        function = ir.FunctionType(kind, [kind] * 3)
        return builder.call(cgutils.get_or_insert_function(builder.module, function, name), arguments)

    return a(a, a, a), generate


@intrinsic
def add(context, a, b):
    """a + b."""
    return a(a, a), lambda context, builder, signature, arguments: builder.fadd(*arguments)


@intrinsic
def from_lane(context, vector, first):
    """The vector, with zeros in the lanes before `first`."""

    def generate(context, builder, signature, arguments):
        start = builder.trunc(arguments[1], I32)
        empty = ir.Constant(ir.VectorType(I32, vector.lanes), ir.Undefined)
        starts = builder.insert_element(empty, start, ir.Constant(I32, 0))
        starts = builder.shuffle_vector(starts, empty, _numbers([0] * vector.lanes))
        keep = builder.icmp_signed(">=", _numbers(range(vector.lanes)), starts)
        zero = ir.Constant(context.get_value_type(vector), [0.0] * vector.lanes)
        return builder.select(keep, arguments[0], zero)

    return vector(vector, types.intp), generate


@intrinsic
def total(context, vector):
    """The sum of all lanes: halves are added until one is left."""

    def generate(context, builder, signature, arguments):
        [left], lanes = arguments, vector.lanes
        while lanes > 1:
            lanes //= 2
            empty = ir.Constant(left.type, ir.Undefined)
            halves = (
                builder.shuffle_vector(left, empty, _numbers(range(start, start + lanes)))
                for start in (0, lanes)
            )
            left = builder.fadd(*halves)
        return builder.extract_element(left, ir.Constant(I32, 0))

    return vector.dtype(vector), generate


def _numbers(values) -> ir.Constant:
    values = list(values)
    return ir.Constant(ir.VectorType(I32, len(values)), values)


def _place(context, builder, kind, array, index, vector):
    """Where a vector lies in an array."""
    data = cgutils.create_struct_proxy(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), context.get_value_type(vector).as_pointer())
