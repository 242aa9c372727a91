"""Experiments and parameter files are found by reading them; nothing is imported."""

from __future__ import annotations

from pathlib import Path

import pytest

from curifactory.project.listing import iter_modules, list_experiments, list_parameter_files, read_outline


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


RUN = "def run(param_sets, manager): ...\n"
GET_PARAMS = "def get_params(): return []\n"


def test_nothing_is_imported(tmp_path: Path) -> None:
    write(tmp_path, "loud.py", f"raise SystemExit\n{RUN}")
    assert [found.name for found in list_experiments(tmp_path, root=tmp_path)] == ["loud"]


@pytest.mark.parametrize(
    "text",
    [
        "def run(\n    param_sets,\n    manager,\n):\n    ...\n",
        "def run (param_sets, manager): ...\n",
        "@decorated\ndef run(param_sets, manager): ...\n",
        "from elsewhere import run\n",
        "from elsewhere import go as run\n",
        "run = make_run()\n",
        "run: object = make_run()\n",
        "if True:\n    def run(param_sets, manager): ...\n",
        "try:\n    from fast import run\nexcept ImportError:\n    from slow import run\n",
    ],
)
def test_a_run_is_found_however_it_is_written(tmp_path: Path, text: str) -> None:
    write(tmp_path, "iris.py", text)
    assert [found.name for found in list_experiments(tmp_path, root=tmp_path)] == ["iris"]


@pytest.mark.parametrize(
    "text",
    [
        "# def run(param_sets, manager)\n",
        "'''\ndef run(a, b):\n'''\n",
        "class A:\n    def run(self, m): ...\n",
        "def runs(): ...\n",
    ],
)
def test_what_only_looks_like_a_run_is_none(tmp_path: Path, text: str) -> None:
    write(tmp_path, "iris.py", text)
    assert list_experiments(tmp_path, root=tmp_path) == []


def test_folders_make_dotted_names(tmp_path: Path) -> None:
    for name in ("a.py", "vision/b.py", "vision/deep/c.py", "pack/__init__.py"):
        write(tmp_path, name, RUN)
    assert [found.name for found in list_experiments(tmp_path, root=tmp_path)] == [
        "a",
        "pack",
        "vision.b",
        "vision.deep.c",
    ]


def test_hidden_folders_byte_code_and_the_folder_s_own_init_are_none(tmp_path: Path) -> None:
    for name in ("__init__.py", ".hidden/a.py", "__pycache__/b.py", "old.backup/c.py", "d.copy.py", "e.txt"):
        write(tmp_path, name, RUN)
    assert list(iter_modules(tmp_path)) == []


def test_the_first_line_of_the_docstring_is_kept(tmp_path: Path) -> None:
    write(
        tmp_path,
        "iris.py",
        f'#!/usr/bin/env python\n# A comment.\n"""\n   Sort flowers.\n\nAt length.\n"""\n{RUN}',
    )
    assert list_experiments(tmp_path, root=tmp_path)[0].doc == "Sort flowers."


def test_other_encodings_are_read(tmp_path: Path) -> None:
    (tmp_path / "iris.py").write_bytes(f'# -*- coding: latin-1 -*-\n"""Größe."""\n{RUN}'.encode("latin-1"))
    assert list_experiments(tmp_path, root=tmp_path)[0].doc == "Größe."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"def run(a, b:\n", "experiments/bad.py:1: "),
        (b"x = 1\n\n  y = 2\n", "experiments/bad.py:3: unexpected indent"),
        (b"x = '\xff'\n", "experiments/bad.py"),
        (b"x = 1\0\n", "experiments/bad.py"),
    ],
)
def test_a_file_that_does_not_parse_is_listed_with_its_error(tmp_path: Path, text: bytes, said: str) -> None:
    file = write(tmp_path, "experiments/bad.py", "")
    file.write_bytes(text)
    (found,) = list_experiments(tmp_path / "experiments", root=tmp_path)
    assert found.error is not None
    assert found.error.startswith(said)


def test_a_warning_about_a_person_s_text_is_not_shown(tmp_path: Path) -> None:
    write(tmp_path, "iris.py", f"pattern = '\\d'\n{RUN}")
    assert read_outline(tmp_path / "iris.py", root=tmp_path).error is None


def test_parameter_files_are_followed_by_experiments_that_give_parameters(tmp_path: Path) -> None:
    write(tmp_path, "params/iris.py", f'"""Of the parameter file."""\n{GET_PARAMS}')
    write(tmp_path, "params/classes.py", "class Params: ...\n")
    write(tmp_path, "experiments/iris.py", f'"""Of the experiment."""\n{RUN}{GET_PARAMS}')
    write(tmp_path, "experiments/mnist.py", RUN + GET_PARAMS)
    write(tmp_path, "experiments/plain.py", RUN)
    found = list_parameter_files(tmp_path / "params", tmp_path / "experiments", root=tmp_path)
    assert [(each.name, each.doc) for each in found] == [("iris", "Of the parameter file."), ("mnist", "")]


def test_where_there_is_no_folder_there_is_nothing(tmp_path: Path) -> None:
    assert list_experiments(tmp_path / "none", root=tmp_path) == []
