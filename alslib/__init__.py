"""Recommender systems from scratch with alternating least squares: the course in code."""

from alslib.bias import BiasALS
from alslib.metrics import mae, rmse
from alslib.ratings import CSR, Ratings
from alslib.splits import (
    k_fold,
    leave_items_out_split,
    train_test_split,
    train_validation_test_split,
)

__all__ = [
    "CSR",
    "BiasALS",
    "Ratings",
    "k_fold",
    "leave_items_out_split",
    "mae",
    "rmse",
    "train_test_split",
    "train_validation_test_split",
]
