"""The same ratings as one table and as the files that workers read."""

import numpy as np
import pandas as pd
import pytest

from alslib import make_ratings

N_FILES = 5


@pytest.fixture(scope="module")
def table():
    world = make_ratings(300, 200, 9_000, n_factors=2)
    frame = pd.DataFrame(
        {
            "user_id": 3 * world.users.astype(np.int64) + 17,
            "movie_id": world.items.astype(np.int64),
            "rating": world.values,
            "weight": np.random.default_rng(0).integers(1, 9, 9_000) / 4,
        }
    )
    return frame.sample(frac=1, random_state=1)


@pytest.fixture(scope="module")
def folder(table, tmp_path_factory):
    """The same ratings as files; most users have ratings in each."""
    folder = tmp_path_factory.mktemp("ratings")
    for number in range(N_FILES):
        table[number::N_FILES].to_parquet(folder / f"part-{number}.parquet")
    return folder
