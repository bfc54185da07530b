"""One request that numba has no word for, written in LLVM's own language.

Which factors a row needs is known from its indices, but no processor guesses it.

After an edit here touch `latent.py`: numba's cache sees changes in a kernel's own file only.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array


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
