import inspect

import pytest

from alslib import Ratings, _kernels, show_source


def test_a_kernel_is_shown_as_it_runs(capsys):
    show_source("bias_half_step")
    assert capsys.readouterr().out == inspect.getsource(_kernels.bias_half_step.py_func)


def test_a_method_is_shown_as_it_runs(capsys):
    show_source(Ratings.select)
    assert capsys.readouterr().out == inspect.getsource(Ratings.select)


@pytest.mark.parametrize("name", ["nothing", "np", "__name__"])
def test_an_unknown_kernel_is_named(name):
    with pytest.raises(ValueError, match=f"alslib has no kernel '{name}'"):
        show_source(name)
