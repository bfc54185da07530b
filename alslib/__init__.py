"""Recommender systems from scratch with alternating least squares: the course in code.

A public name is imported when it is first asked for, so nobody waits for what they do not use: who
reads ratings not for the compiler, who fits a model not for what only lists or power laws need.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # for editors and type checkers, which do not run `__getattr__`
    from alslib.bias import BiasALS
    from alslib.datasets import MOVIELENS, DataError, MovieLens, load_movielens
    from alslib.degrees import LogHistogram, ccdf, degree_counts, log_binned_histogram
    from alslib.exercises import checker
    from alslib.export import export_json
    from alslib.features import FeatureALS, implicit_feedback, movie_features
    from alslib.implicit import ImplicitALS
    from alslib.latent import LatentALS
    from alslib.metrics import (
        catalogue_coverage,
        mae,
        ndcg_at_k,
        novelty,
        precision_at_k,
        recall_at_k,
        rmse,
    )
    from alslib.power_law import (
        PowerLawFit,
        compare_distributions,
        fit_power_law,
        goodness_of_fit,
        sample_power_law,
    )
    from alslib.preferences import PreferencesError
    from alslib.profile import Profile, fold_in
    from alslib.ratings import CSR, Ratings
    from alslib.recommend import Explanation, Recommender, TopN
    from alslib.search import SearchResult, grid_search
    from alslib.source import show_source
    from alslib.splits import (
        k_fold,
        leave_items_out_split,
        train_test_split,
        train_validation_test_split,
    )
    from alslib.synthetic import MOVIELENS_SHAPES, SyntheticRatings, make_ratings
    from alslib.visitor import Visitor

__all__ = [
    "CSR",
    "MOVIELENS",
    "MOVIELENS_SHAPES",
    "BiasALS",
    "DataError",
    "Explanation",
    "FeatureALS",
    "ImplicitALS",
    "LatentALS",
    "LogHistogram",
    "MovieLens",
    "PowerLawFit",
    "PreferencesError",
    "Profile",
    "Ratings",
    "Recommender",
    "SearchResult",
    "SyntheticRatings",
    "TopN",
    "Visitor",
    "catalogue_coverage",
    "ccdf",
    "checker",
    "compare_distributions",
    "degree_counts",
    "export_json",
    "fit_power_law",
    "fold_in",
    "goodness_of_fit",
    "grid_search",
    "implicit_feedback",
    "k_fold",
    "leave_items_out_split",
    "load_movielens",
    "log_binned_histogram",
    "mae",
    "make_ratings",
    "movie_features",
    "ndcg_at_k",
    "novelty",
    "precision_at_k",
    "recall_at_k",
    "rmse",
    "sample_power_law",
    "show_source",
    "train_test_split",
    "train_validation_test_split",
]

# In which module each of them is; a test compares the three lists.
_MODULES = {
    "bias": ("BiasALS",),
    "datasets": ("MOVIELENS", "DataError", "MovieLens", "load_movielens"),
    "degrees": ("LogHistogram", "ccdf", "degree_counts", "log_binned_histogram"),
    "exercises": ("checker",),
    "export": ("export_json",),
    "features": ("FeatureALS", "implicit_feedback", "movie_features"),
    "implicit": ("ImplicitALS",),
    "latent": ("LatentALS",),
    "metrics": (
        "catalogue_coverage",
        "mae",
        "ndcg_at_k",
        "novelty",
        "precision_at_k",
        "recall_at_k",
        "rmse",
    ),
    "power_law": (
        "PowerLawFit",
        "compare_distributions",
        "fit_power_law",
        "goodness_of_fit",
        "sample_power_law",
    ),
    "preferences": ("PreferencesError",),
    "profile": ("Profile", "fold_in"),
    "ratings": ("CSR", "Ratings"),
    "recommend": ("Explanation", "Recommender", "TopN"),
    "search": ("SearchResult", "grid_search"),
    "source": ("show_source",),
    "splits": (
        "k_fold",
        "leave_items_out_split",
        "train_test_split",
        "train_validation_test_split",
    ),
    "synthetic": ("MOVIELENS_SHAPES", "SyntheticRatings", "make_ratings"),
    "visitor": ("Visitor",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name, and keep it; see PEP 562."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
