"""Three operations that numba has no word for, written in LLVM's own language.

`add_outer_products` keeps a sum of outer products in registers. The normal matrix of a row is such
a sum, one product per rating, and its Cholesky factor is found by subtracting outer products from
what is left of it: both spend nearly all their time here. A loop of numba loads and stores the sum
for every product; here a tile of 8 rows by one vector register stays in eight registers while all
its products pass by.

`inner_product` adds in sixteen lanes, where numba adds numbers one by one.

`prefetch` asks for memory that will be read soon. Which factors a row needs is known from its
indices, but no processor guesses it.

After an edit here touch `_kernels.py`: numba's cache sees changes in a kernel's own file only.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

_REGISTER_BITS = 512  # LLVM cuts wider vectors than the processor has into narrower ones
FLOAT32_LANES = _REGISTER_BITS // 32
FLOAT64_LANES = _REGISTER_BITS // 64
TILE_ROWS = 8


@intrinsic(prefer_literal=True)
def add_outer_products(
    typingctx, out, o, out_stride, left, a, left_stride, right, b, right_stride, n, n_rows, sign
):
    """Add ``n`` outer products to a tile: one vector register wide, ``n_rows`` high.

    For r in 0…n_rows−1 and c in 0…lanes−1, where lanes is 16 for float32 and 8 for float64::

        out[o + r * out_stride + c] += sign * sum(
            left[a + p * left_stride + r] * right[b + p * right_stride + c] for p in range(n)
        )

    All arrays are flat, contiguous and of one floating type, and nothing checks their bounds.
    ``n_rows`` and ``sign`` (1 or −1) are literals.
    """
    n_tile_rows, tile_sign = n_rows.literal_value, sign.literal_value
    lanes = _REGISTER_BITS // out.dtype.bitwidth
    alignment = out.dtype.bitwidth // 8

    def codegen(context, builder, signature, args):
        data = [
            make_array(kind)(context, builder, value).data
            for kind, value in zip(signature.args, args, strict=True)
            if isinstance(kind, types.Array)
        ]
        out_data, left_data, right_data = data
        o, out_stride, a, left_stride, b, right_stride, n = (args[i] for i in (1, 2, 4, 5, 7, 8, 9))
        vector = ir.VectorType(context.get_data_type(out.dtype), lanes)
        index = n.type

        def address(array, offset, row):
            return builder.gep(array, [builder.add(offset, row)])

        def as_vector(pointer):
            return builder.bitcast(pointer, vector.as_pointer())

        def spread(scalar):
            first = ir.Constant(ir.IntType(32), 0)
            none = ir.Constant(vector, ir.Undefined)
            everywhere = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
            return builder.shuffle_vector(
                builder.insert_element(none, scalar, first), none, everywhere
            )

        tile = [
            as_vector(address(out_data, o, builder.mul(out_stride, index(r))))
            for r in range(n_tile_rows)
        ]
        at_start = [builder.load(pointer, align=alignment) for pointer in tile]
        before = builder.block
        head, body, after = (builder.append_basic_block(name) for name in ("head", "body", "after"))
        builder.branch(head)

        builder.position_at_end(head)
        p = builder.phi(index)
        p.add_incoming(index(0), before)
        sums = [builder.phi(vector) for _ in range(n_tile_rows)]
        for total, start in zip(sums, at_start, strict=True):
            total.add_incoming(start, before)
        builder.cbranch(builder.icmp_signed("<", p, n), body, after)

        builder.position_at_end(body)
        row = builder.load(
            as_vector(address(right_data, b, builder.mul(p, right_stride))), align=alignment
        )
        if tile_sign < 0:
            row = builder.fneg(row)
        column = address(left_data, a, builder.mul(p, left_stride))
        for r, total in enumerate(sums):
            factor = spread(builder.load(builder.gep(column, [index(r)])))
            # "contract" lets LLVM fuse the two into one instruction where the processor has it.
            product = builder.fmul(factor, row, flags=("contract",))
            total.add_incoming(builder.fadd(product, total, flags=("contract",)), body)
        p.add_incoming(builder.add(p, index(1)), body)
        builder.branch(head)

        builder.position_at_end(after)
        for total, pointer in zip(sums, tile, strict=True):
            builder.store(total, pointer, align=alignment)
        return context.get_dummy_value()

    integers = types.intp
    return types.void(
        out,
        integers,
        integers,
        left,
        integers,
        integers,
        right,
        integers,
        integers,
        integers,
        n_rows,
        sign,
    ), codegen


@intrinsic
def prefetch(typingctx, array, i):
    """Start loading element ``i`` of an array in C order into the cache, and do not wait for it."""

    def codegen(context, builder, signature, args):
        data = make_array(signature.args[0])(context, builder, args[0]).data
        byte = ir.IntType(8).as_pointer()
        flag = ir.IntType(32)
        function = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(ir.VoidType(), [byte, flag, flag, flag]),
            "llvm.prefetch.p0i8",
        )
        pointer = builder.bitcast(builder.gep(data, [args[1]]), byte)
        to_read, keep_close, is_data = flag(0), flag(3), flag(1)
        builder.call(function, [pointer, to_read, keep_close, is_data])
        return context.get_dummy_value()

    return types.void(array, types.intp), codegen


@intrinsic
def inner_product(typingctx, left, a, right, b, n):
    """Return the sum of ``left[a + k] * right[b + k]`` over k in 0…n−1, added lane by lane.

    Both arrays are contiguous and of one floating type; ``n`` is a multiple of the lanes, 16 for
    float32.
    """
    lanes = _REGISTER_BITS // left.dtype.bitwidth
    alignment = left.dtype.bitwidth // 8

    def codegen(context, builder, signature, args):
        left_data, right_data = (
            make_array(signature.args[i])(context, builder, args[i]).data for i in (0, 2)
        )
        _, a, _, b, n = args
        scalar = context.get_data_type(left.dtype)
        vector = ir.VectorType(scalar, lanes)
        before = builder.block
        head, body, after = (builder.append_basic_block(name) for name in ("head", "body", "after"))
        builder.branch(head)

        builder.position_at_end(head)
        k, sums = builder.phi(n.type), builder.phi(vector)
        k.add_incoming(n.type(0), before)
        sums.add_incoming(ir.Constant(vector, [0.0] * lanes), before)
        builder.cbranch(builder.icmp_signed("<", k, n), body, after)

        builder.position_at_end(body)
        pair = [
            builder.load(
                builder.bitcast(builder.gep(data, [builder.add(start, k)]), vector.as_pointer()),
                align=alignment,
            )
            for data, start in ((left_data, a), (right_data, b))
        ]
        product = builder.fmul(*pair, flags=("contract",))
        sums.add_incoming(builder.fadd(product, sums, flags=("contract",)), body)
        k.add_incoming(builder.add(k, n.type(lanes)), body)
        builder.branch(head)

        builder.position_at_end(after)
        # Halves are added to halves until one lane is left: a fixed order.
        total = sums
        while lanes_left := total.type.count // 2:
            halves = [
                builder.shuffle_vector(
                    total,
                    ir.Constant(total.type, ir.Undefined),
                    ir.Constant(
                        ir.VectorType(ir.IntType(32), lanes_left),
                        list(range(first, first + lanes_left)),
                    ),
                )
                for first in (0, lanes_left)
            ]
            total = builder.fadd(*halves)
        return builder.extract_element(total, ir.IntType(32)(0))

    integers = types.intp
    return left.dtype(left, integers, right, integers, integers), codegen
