"""Every compiled loop of the course, and nothing else.

A kernel takes arrays, some of them in tuples that `inputs` names, does one thing, and has an oracle
in ``tests/`` that computes the same thing another way. Where threads share a loop over rows, a
kernel does those from ``first`` up to ``last``: see `alslib.kernels.threads`. Two rules keep
results identical whatever the number of threads: each of them works on rows that the others do not
touch, and whatever is summed over rows is first written to an array and then added up in a fixed
order.

A stored rating is a code; its value is ``offset + step * data[p]``: see `alslib.data.ratings`.
"""

from alslib.kernels import bias, conjugate_gradients, latent, lists, rows, sparse, worlds

__all__ = ["bias", "conjugate_gradients", "latent", "lists", "rows", "sparse", "worlds"]
