"""Lesson 10: ratings that are spread over other processes, on a cluster of Dask's.

The rows of a half-step do not depend on each other: every worker solves for its own with the same
kernels, so that a fit has the same bits as on one machine, whoever has solved for which rows.
"""
