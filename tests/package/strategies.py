"""Random ratings for property tests: small enough for dense oracles, odd enough to find bugs."""

import numpy as np
from hypothesis import strategies as st

from alslib import Ratings

HALF_STARS = np.arange(1, 11) / 2
# One draw for a pair, where its two numbers would be three: drawing is most of what a test takes.
PAIRS = [(user, root**3) for user in range(-5, 13) for root in range(16)]


@st.composite
def triples(draw, values=None, min_ratings=1):
    """Draw users, items and values: distinct pairs in any order, ids with gaps."""
    pairs = draw(st.lists(st.sampled_from(PAIRS), min_size=min_ratings, max_size=60, unique=True))
    users, items = np.array(pairs).T
    stars = draw(
        st.lists(
            st.sampled_from(HALF_STARS) if values is None else values,
            min_size=len(pairs),
            max_size=len(pairs),
        )
    )
    return users, items, np.array(stars)


@st.composite
def ratings(draw, min_ratings=1):
    """Draw Ratings."""
    return Ratings(*draw(triples(min_ratings=min_ratings)))


@st.composite
def weighted(draw):
    """Draw Ratings with weights."""
    users, items, values = draw(triples(min_ratings=3))
    weights = draw(st.lists(st.floats(0.125, 8), min_size=len(users), max_size=len(users)))
    return Ratings(users, items, values, weights=weights)
