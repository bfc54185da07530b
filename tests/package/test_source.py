import inspect

import pytest

from alslib import Ratings, kernels, show_source


def test_a_kernel_is_shown_as_it_runs(capsys):
    show_source(kernels.bias.half_step)
    assert capsys.readouterr().out == inspect.getsource(kernels.bias.half_step.py_func)


def test_a_method_is_shown_as_it_runs(capsys):
    show_source(Ratings.select)
    assert capsys.readouterr().out == inspect.getsource(Ratings.select)


@pytest.mark.parametrize("what", ["half_step", len, 3])
def test_what_has_no_source_is_refused(what):
    with pytest.raises(TypeError):
        show_source(what)
