import inspect

import pytest

from alslib import Ratings, _kernels, profile, show_source


def test_a_kernel_is_shown_as_it_runs(capsys):
    show_source("bias_half_step")
    assert capsys.readouterr().out == inspect.getsource(_kernels.bias_half_step.py_func)


def test_a_method_is_shown_as_it_runs(capsys):
    show_source(Ratings.select)
    assert capsys.readouterr().out == inspect.getsource(Ratings.select)


def test_an_inner_function_is_shown_as_it_runs(capsys):
    show_source("profile.solve_profile")
    assert capsys.readouterr().out == inspect.getsource(profile.solve_profile)


@pytest.mark.parametrize("name", ["profile.nothing", "nothing.solve_profile", ".", "profile."])
def test_an_unknown_inner_function_is_named(name):
    with pytest.raises(ValueError, match=f"alslib has no function '{name}'"):
        show_source(name)


@pytest.mark.parametrize("name", ["nothing", "np", "__name__"])
def test_an_unknown_kernel_is_named(name):
    with pytest.raises(ValueError, match=f"alslib has no kernel '{name}'"):
        show_source(name)
