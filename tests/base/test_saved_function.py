"""Functions are saved by name, and refused where that name is another function's."""

import sys
import types

import pytest

from kerasmith.base.saved_function import register_function, why_not_savable
from kerasmith.objectives import Term
from kerasmith.physics import Residual

SOURCE = """
import functools

def doubled(fn):
    @functools.wraps(fn)
    def wrapper(x):
        return 2 * fn(x)
    return wrapper

def plain(x):
    return x.d("t")

def rerun(x, k=0.5):
    return k * x.d("t")
first_run = rerun
def rerun(x, k=0.5):
    return k * x.d("t")

@doubled
def decorated(x):
    return x.d("x")
first_decorated = decorated
@doubled
def decorated(x):
    return x.d("x")

wrapped = doubled(plain)
wrapped_twice = doubled(decorated)

def redefined(x):
    return x.d("t")
before = redefined
def redefined(x):
    return x.d("x")

in_a_loop = []
for k in (1.0, 2.0):
    def made(x, k=k):
        return k * x.d("t")
    register(made)
    in_a_loop.append(made)

def registered_early(x):
    return x.d("t")
register(registered_early)
early = registered_early
def registered_early(x):
    return x.d("xx")
"""


@pytest.fixture
def equations(monkeypatch):
    module = types.ModuleType("equations_of_saved_function")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    module.register = register_function
    exec(SOURCE, module.__dict__)
    return module


@pytest.mark.host("compares functions, no tensor is involved")
def test_a_function_whose_name_leads_to_another_is_not_saved(equations):
    for fn in (equations.plain, equations.first_run, equations.rerun, equations.first_decorated, equations.redefined):
        assert why_not_savable(fn) is None, fn
    one, two = equations.in_a_loop
    assert why_not_savable(two) is None
    for fn in (equations.wrapped, equations.wrapped_twice, equations.before, one, equations.early):
        for part in (Residual(fn, name="equation"), Term(fn, name="term")):
            with pytest.raises(ValueError, match="leads to another function by now"):
                part.get_config()
    # Those that bear the name are saved on.
    for fn in (equations.plain, equations.decorated, equations.redefined, two):
        Residual(fn, name="equation").get_config()
