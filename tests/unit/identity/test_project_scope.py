from __future__ import annotations

import json
import sys
import sysconfig
import types
from pathlib import Path

import numpy as np
import pytest

import curifactory
from curifactory.identity.project_scope import Scope


@pytest.mark.parametrize(
    ("path", "belongs"),
    [
        ("work.py", True),
        ("pack/deep/work.py", True),
        ("lib/site-packages/x.py", False),
        ("lib/dist-packages/x.py", False),
        (".venv/bin/x.py", False),
        (".venv/src/tool/x.py", True),
    ],
)
def test_files_below_the_root_belong_to_the_project_unless_they_are_installed(tmp_path, path, belongs):
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "pyvenv.cfg").write_text("")
    target = tmp_path / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("")
    scope = Scope(tmp_path)
    assert scope.contains(target) is scope.contains(str(target)) is belongs


def test_the_standard_library_packages_and_curifactory_do_not_belong_to_it(tmp_path):
    scope = Scope(tmp_path)
    for module in (sys, json, np, curifactory):
        assert not scope.contains(module)
        assert not scope.contains(module.__name__)
    assert not scope.contains("a.module.that.is.not.loaded")


def test_a_working_tree_elsewhere_belongs_to_it(tmp_path):
    module = types.ModuleType("tool")
    module.__file__ = str(tmp_path / "elsewhere" / "tool.py")
    assert Scope(tmp_path / "project").contains(module)


def test_packages_can_be_named(tmp_path):
    scope = Scope(tmp_path, packages=("numpy",))
    assert scope.contains(np)
    assert scope.contains(np.linalg)
    assert scope.contains_file(np.__file__)
    assert not scope.contains(json)


def test_places_are_relative_to_the_root(tmp_path):
    scope = Scope(tmp_path)
    assert scope.relative(str(tmp_path / "a" / "b.py")) == "a/b.py"
    assert scope.relative("/elsewhere/b.py") == "/elsewhere/b.py"


def test_a_script_is_called_by_its_place(tmp_path, monkeypatch):
    main = types.ModuleType("__main__")
    main.__file__ = str(tmp_path / "scripts" / "tune.py")
    monkeypatch.setitem(sys.modules, "__main__", main)
    assert Scope(tmp_path).module_name("__main__") == "scripts.tune"
    assert Scope.unbounded().module_name("__main__") == "tune"
    assert Scope(tmp_path).module_name("other") == "other"
    del main.__file__
    assert Scope(tmp_path).module_name("__main__") == "__main__"


def test_a_module_that_was_started_by_name_keeps_its_name(tmp_path, monkeypatch):
    main = types.ModuleType("__main__")
    main.__spec__ = types.SimpleNamespace(name="pack.tool.__main__")
    monkeypatch.setitem(sys.modules, "__main__", main)
    assert Scope(tmp_path).module_name("__main__") == "pack.tool"


def test_scopes_of_one_folder_are_equal(tmp_path):
    assert Scope(tmp_path) == Scope(Path(str(tmp_path)))
    assert Scope(tmp_path) != Scope(tmp_path, packages=("x",))


def test_the_standard_library_lies_where_this_python_says(tmp_path):
    for kind in ("stdlib", "platstdlib"):
        assert not Scope(tmp_path).contains_file(str(Path(sysconfig.get_path(kind)) / "of_the_library.py"))
