"""Top-N lists for many users (lesson 5)."""

import numpy as np

from alslib.kernels.compiling import njit

# Scores looked through at a time: mostly none of them is worth a closer look.
_GLANCE = 32


@njit
def top_items(
    first, last, users, panels, candidates, rows, seen_indptr, seen, out_items, out_scores, n_found
):
    """Find every user's candidates with the highest inner products, without those already seen.

    ``users`` has shape (n_users, depth), with ``depth`` a multiple of 4. ``panels`` holds the
    vectors of the ascending ``candidates``, padded with zeros: ``panels[panel, k, n]`` is element
    k of the n-th candidate of a panel. All users of a stretch share a panel while it is in the
    cache. What ``users[i]`` has seen is row ``rows[i]`` of the compressed rows ``seen_indptr,
    seen``. The rows of ``out_items`` and ``out_scores`` come out best first, of equals the lower
    item first, ``n_found[i]`` of them.
    """
    n_panels, _, size = panels.shape
    n_wanted = out_items.shape[1]
    scores = np.empty(size, np.float32)
    # The score to beat: none, until a list is full.
    to_beat = np.full(last - first, -np.inf, np.float32)
    n_found[first:last] = 0
    for panel in range(n_panels):
        for user in range(first, last):
            score_panel(users[user], panels[panel], scores)
            of_user = seen[seen_indptr[rows[user]] : seen_indptr[rows[user] + 1]]
            for start in range(0, size, _GLANCE):
                n_better = 0
                for n in range(start, start + _GLANCE):
                    n_better += scores[n] > to_beat[user - first]
                if n_better == 0:
                    continue
                before = panel * size
                for n in range(start, min(start + _GLANCE, len(candidates) - before)):
                    item, score = candidates[before + n], scores[n]
                    if score > to_beat[user - first] and not _contains(of_user, item):
                        n_found[user] = _insert(
                            item, score, out_items[user], out_scores[user], n_found[user]
                        )
                        if n_found[user] == n_wanted:
                            to_beat[user - first] = out_scores[user, n_wanted - 1]


@njit(fastmath={"contract"})
def score_panel(user, panel, scores):
    """Write the inner product of a user's vector with each vector of a panel.

    Four elements at a time, so that a score is read and written once for four products.
    """
    scores[:] = 0.0
    for k in range(0, len(user), 4):
        u_0, u_1, u_2, u_3 = user[k], user[k + 1], user[k + 2], user[k + 3]
        p_0, p_1, p_2, p_3 = panel[k], panel[k + 1], panel[k + 2], panel[k + 3]
        for n in range(len(scores)):
            scores[n] += u_0 * p_0[n] + u_1 * p_1[n] + u_2 * p_2[n] + u_3 * p_3[n]


@njit
def _contains(ascending, wanted):
    at = np.searchsorted(ascending, wanted)
    return at < len(ascending) and ascending[at] == wanted


@njit
def _insert(item, score, items, scores, n_found):
    """Put an item in its place in a list, push out the last if it is full; return its length."""
    place = min(n_found, len(items) - 1)
    while place > 0 and scores[place - 1] < score:
        items[place], scores[place] = items[place - 1], scores[place - 1]
        place -= 1
    items[place], scores[place] = item, score
    return min(n_found + 1, len(items))
