"""Two operations that numba has no word for, written in LLVM's own language.

`add_outer_products` keeps a piece of a matrix in registers while many outer products are added to
it, and `subtract_outer_products` while they are taken away. A loop of numba either loads and stores
that piece for every product, or, with a sum of its own for each number, has to add up the lanes of
each: the products of 128 ratings with 64 factors took 8 to 14 µs in numba and take 6 here (Zen 4,
one core).

`prefetch` asks for memory that will be read soon. Which factors a row needs is known from its
indices, but no processor guesses it.

After an edit here touch `latent.py`: numba's cache sees changes in a kernel's own file only.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.registry import cpu_target
from numba.extending import intrinsic
from numba.np.arrayobj import make_array


def _tile_rows() -> int:
    """Return how many rows of sums the registers hold of the processor that numba writes for.

    A sum waits four steps of the clock for its last product, and many a core could begin two
    products a step: it takes eight registers of sums to keep such a core busy. With AVX2 four rows
    fill eight of sixteen, and eight rows would spill. With ARM's 128 bits four rows fill sixteen of
    thirty-two. With AVX-512 sixteen rows do, and then a number that is read from memory meets
    sixteen others.
    """
    _, name, features = cpu_target.target_context.codegen().magic_tuple()
    return 16 if "+avx512f" in features or name == "x86-64-v4" else 4


# A tile of ratings: rows of a cache line each, 16 float32.
TILE_ROWS = _tile_rows()
TILE_COLUMNS = 16
# A tile of the elimination has as many rows on every processor: of 8 float64, a cache line as well.
PANEL_ROWS = 4

_LINE = 64
_INT = ir.IntType(32)


@intrinsic(prefer_literal=True)
def add_outer_products(typingctx, total, i, j, gathered, n, n_rows):
    """Add the sums of ``n`` outer products to a tile of ``n_rows`` rows and 16 columns.

    For r in 0…n_rows−1 and c in 0…15::

        total[i + r, j + c] += sum(gathered[q, i + r] * gathered[q, j + c] for q in range(n))

    The sums are made in the type of ``gathered``, in the order of q whatever the processor;
    ``total`` is float64. Where ``gathered`` is float64, too, a tile has 8 columns. Both are
    two-dimensional and in C order, ``n_rows`` is a literal, and nothing checks bounds.
    """
    return types.void(total, types.intp, types.intp, gathered, types.intp, n_rows), _sum_up("fadd")


@intrinsic(prefer_literal=True)
def subtract_outer_products(typingctx, total, i, j, gathered, n, n_rows):
    """Subtract what `add_outer_products` would add; ``gathered`` may be other rows of ``total``."""
    return types.void(total, types.intp, types.intp, gathered, types.intp, n_rows), _sum_up("fsub")


def _sum_up(add_or_subtract):
    """Return what writes the instructions of one of these two."""

    def codegen(context, builder, signature, args):
        out, products = (
            make_array(signature.args[at])(context, builder, args[at]) for at in (0, 3)
        )
        out_data, first_row = out.data, products.data
        _, out_stride = cgutils.unpack_tuple(builder, out.shape, 2)
        _, stride = cgutils.unpack_tuple(builder, products.shape, 2)
        i, j, n = args[1], args[2], args[4]
        index = n.type
        n_columns = _LINE // (signature.args[3].dtype.bitwidth // 8)
        lanes = ir.VectorType(first_row.type.pointee, n_columns)
        doubles = ir.VectorType(ir.DoubleType(), n_columns)

        def in_all_lanes(number):
            nothing = ir.Constant(lanes, ir.Undefined)
            first = builder.insert_element(nothing, number, _INT(0))
            places = ir.Constant(ir.VectorType(_INT, n_columns), [0] * n_columns)
            return builder.shuffle_vector(first, nothing, places)

        places = []
        for r in range(signature.args[5].literal_value):
            place = builder.add(builder.mul(builder.add(i, index(r)), out_stride), j)
            places.append(builder.bitcast(builder.gep(out_data, [place]), doubles.as_pointer()))
        if lanes == doubles:
            starts = [builder.load(place, align=8) for place in places]
        else:
            starts = [ir.Constant(lanes, [0.0] * n_columns)] * len(places)
        before = builder.block
        head, body, after = (builder.append_basic_block(name) for name in ("head", "body", "after"))
        builder.branch(head)

        builder.position_at_end(head)
        q = builder.phi(index)
        q.add_incoming(index(0), before)
        row = builder.phi(first_row.type)
        row.add_incoming(first_row, before)
        sums = [builder.phi(lanes) for _ in places]
        for one, start in zip(sums, starts, strict=True):
            one.add_incoming(start, before)
        builder.cbranch(builder.icmp_signed("<", q, n), body, after)

        builder.position_at_end(body)
        right = builder.load(builder.bitcast(builder.gep(row, [j]), lanes.as_pointer()), align=4)
        for r, one in enumerate(sums):
            left = builder.load(builder.gep(row, [builder.add(i, index(r))]))
            # "contract" lets LLVM fuse the two into one instruction where the processor has it.
            product = builder.fmul(in_all_lanes(left), right, flags=("contract",))
            one.add_incoming(
                getattr(builder, add_or_subtract)(one, product, flags=("contract",)), body
            )
        q.add_incoming(builder.add(q, index(1)), body)
        row.add_incoming(builder.gep(row, [stride]), body)
        builder.branch(head)

        builder.position_at_end(after)
        for place, one in zip(places, sums, strict=True):
            if lanes != doubles:
                one = builder.fadd(builder.load(place, align=8), builder.fpext(one, doubles))
            builder.store(one, place, align=8)
        return context.get_dummy_value()

    return codegen


@intrinsic
def prefetch(typingctx, array, i):
    """Start loading element ``i`` of an array in C order into the cache, and do not wait for it."""

    def codegen(context, builder, signature, args):
        data = make_array(signature.args[0])(context, builder, args[0]).data
        byte = ir.IntType(8).as_pointer()
        function = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(ir.VoidType(), [byte, _INT, _INT, _INT]),
            "llvm.prefetch.p0i8",
        )
        pointer = builder.bitcast(builder.gep(data, [args[1]]), byte)
        to_read, keep_close, is_data = _INT(0), _INT(3), _INT(1)
        builder.call(function, [pointer, to_read, keep_close, is_data])
        return context.get_dummy_value()

    return types.void(array, types.intp), codegen
