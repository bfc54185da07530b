"""What is optional: where a library is missing, the error says which extra brings it, and how."""

from collections.abc import Iterator
from contextlib import contextmanager

REPOSITORY = "https://github.com/recsys-from-scratch/recsys-from-scratch"


@contextmanager
def needed_for(purpose: str, *, extra: str) -> Iterator[None]:
    """Import optional libraries in the block; one that is missing says how to install it.

    Parameters
    ----------
    purpose : str
        What needs them, such as ``"drawing figures"``.
    extra : str
        The extra of the package that brings them.

    Raises
    ------
    ImportError
        If an import in the block fails.
    """
    try:
        yield
    except ImportError as error:
        # No index of packages has alslib: it comes from a checkout or from its repository.
        raise ImportError(
            f"{purpose} needs the extra {extra!r} of alslib ({error}). To install it in a checkout "
            f'of the course:\n  pip install -e ".[{extra}]"\n'
            "and anywhere else, such as in Colab (there with a % before pip):\n"
            f'  pip install "alslib[{extra}] @ git+{REPOSITORY}"',
            name=error.name,
        ) from error
