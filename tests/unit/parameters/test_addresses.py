"""Where classes and functions live, and what is said when they are gone."""

from __future__ import annotations

import collections
import sys

import pytest

from curifactory.errors import ConfigurationError
from curifactory.parameters.addresses import address_of, find_address


class Outer:
    class Inner:
        pass

    def method(self):
        pass


def function():
    pass


@pytest.mark.parametrize(
    "thing", [Outer, Outer.Inner, Outer.method, function, collections.Counter, len, dict]
)
def test_what_lives_in_a_module_is_found_again(thing):
    assert find_address(address_of(thing)) is thing


def make_local():
    class Local:
        pass

    return Local


@pytest.mark.parametrize("thing", [lambda: 0, make_local(), Outer().method, 5, "text"])
def test_what_cannot_be_found_again_has_no_address(thing):
    assert address_of(thing) is None


def test_a_name_that_stands_for_something_else_by_now_is_no_address():
    old = type("Outer", (), {"__module__": __name__})
    assert address_of(old) is None


def test_a_missing_module_is_named():
    with pytest.raises(ConfigurationError, match=r"no module 'params\.gone' \(for 'Params'\)"):
        find_address("params.gone:Params")


def test_a_name_that_is_gone_is_named():
    with pytest.raises(ConfigurationError, match=r"'Outer\.Gone' is no longer in the module"):
        find_address(f"{__name__}:Outer.Gone")


def test_a_package_that_a_module_misses_is_named_with_its_command(tmp_path, monkeypatch):
    (tmp_path / "needs_more_xyz.py").write_text("import not_there_xyz\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigurationError, match="pip install not_there_xyz"):
        find_address("needs_more_xyz:Params")


def test_a_module_that_fails_is_not_said_to_be_missing(tmp_path, monkeypatch):
    (tmp_path / "fails_xyz.py").write_text("1 / 0\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigurationError, match="cannot be imported: ZeroDivisionError"):
        find_address("fails_xyz:Params")
    assert "fails_xyz" not in sys.modules
