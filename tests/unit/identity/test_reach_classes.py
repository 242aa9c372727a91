"""Classes that code reaches count with all of their methods."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    "member",
    [
        "@classmethod\n    def __subclasshook__(cls, other): return 1",
        "def __class_getitem__(cls, item): return 1",
        "def __init_subclass__(cls): return 1",
        "@property\n    def __array_interface__(self): return 1",
        "@functools.cached_property\n    def __wide__(self): return 1",
        "@functools.singledispatchmethod\n    def __tell__(self, value): return 1",
    ],
)
def test_special_methods_that_python_or_a_decorator_has_wrapped_count(workshop, member):
    workshop.write(
        "work.py",
        f"import abc, functools\nclass Large(abc.ABC):\n    {member}\ndef run(x): return isinstance(x, Large)\n",
    )
    before = workshop.take()
    workshop.edit("work.py", "return 1", "return 2")
    assert workshop.changed(before)
