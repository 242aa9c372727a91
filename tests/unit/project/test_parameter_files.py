"""Parameter files by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from curifactory.errors import ConfigurationError, CurifactoryError, DiscoveryError
from curifactory.project.parameter_files import (
    ParameterFile,
    find_parameter_file,
    get_parameter_file,
    load_sets,
)

HEAD = """from dataclasses import dataclass
from curifactory.parameters.sets import ExperimentParameters

@dataclass
class Params(ExperimentParameters):
    n: int = 1
"""


def write(root: Path, name: str, text: str) -> None:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def get(root: Path, name: str) -> ParameterFile:
    return get_parameter_file(name, root=root, params="params", experiments="experiments")


def load(root: Path, name: str) -> list[str]:
    return [each.name for each in load_sets(get(root, name), root=root, packages=("experiments", "params"))]


def test_a_parameter_file_comes_before_an_experiment_of_its_name(tmp_path: Path) -> None:
    write(tmp_path, "params/iris.py", "def get_params(): ...")
    write(tmp_path, "experiments/iris.py", "def get_params(): ...")
    assert get(tmp_path, "iris").shown == "params/iris.py"


def test_a_file_that_only_has_classes_does_not_hide_the_experiment(tmp_path: Path) -> None:
    write(tmp_path, "params/iris.py", HEAD)
    write(tmp_path, "experiments/iris.py", "def get_params(): ...")
    assert get(tmp_path, "iris").shown == "experiments/iris.py"


def test_one_that_does_not_parse_hides_it_so_that_its_fault_is_told(tmp_path: Path) -> None:
    write(tmp_path, "params/iris.py", "def get_params(:")
    write(tmp_path, "experiments/iris.py", "def get_params(): ...")
    assert get(tmp_path, "iris").shown == "params/iris.py"


def test_one_that_gets_the_function_in_a_hidden_way_is_taken(tmp_path: Path) -> None:
    write(tmp_path, "params/tools.py", f"{HEAD}def get_params():\n    return [Params(name='hidden')]\n")
    write(tmp_path, "params/iris.py", "from params.tools import *\n")
    assert load(tmp_path, "iris") == ["hidden"]


def test_where_there_is_none_the_nearest_is_named(tmp_path: Path) -> None:
    write(tmp_path, "params/wide.py", "def get_params(): ...")
    assert find_parameter_file("wid", root=tmp_path, params="params", experiments="experiments") is None
    with pytest.raises(DiscoveryError, match=r"^No parameter file named 'wid'\. Did you mean 'wide'\?$"):
        get(tmp_path, "wid")


def test_where_there_are_none_at_all_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(DiscoveryError, match=r"There is none in params/ or experiments/ yet\.$"):
        get(tmp_path, "wide")


def test_sets_are_loaded_in_their_order(tmp_path: Path) -> None:
    write(
        tmp_path,
        "params/deep/wide.py",
        f"{HEAD}def get_params():\n    return [Params(name=n) for n in 'cab']\n",
    )
    assert load(tmp_path, "deep.wide") == ["c", "a", "b"]


@pytest.mark.parametrize("body", ["return None", "return []", "return [3]", "return [Params(), Params()]"])
def test_what_is_no_list_of_sets_is_refused(tmp_path: Path, body: str) -> None:
    write(tmp_path, "params/wide.py", f"{HEAD}def get_params():\n    {body}\n")
    with pytest.raises(ConfigurationError, match=r"^params/wide\.py: get_params\(\) returned"):
        load(tmp_path, "wide")


def test_what_get_params_raises_is_told_with_its_line(tmp_path: Path) -> None:
    write(tmp_path, "params/wide.py", f"{HEAD}def get_params():\n    return [Params(m=1)]\n")
    with pytest.raises(
        ConfigurationError, match=r"get_params\(\) raised TypeError: .*'m' \(params/wide\.py:8\)\.$"
    ):
        load(tmp_path, "wide")


def test_our_own_error_keeps_its_kind_and_gets_its_place(tmp_path: Path) -> None:
    write(
        tmp_path,
        "params/wide.py",
        "from curifactory.errors import CacheError\ndef get_params():\n    raise CacheError('No.')\n",
    )
    with pytest.raises(CurifactoryError) as raised:
        load(tmp_path, "wide")
    assert type(raised.value).__name__ == "CacheError"
    assert raised.value.__notes__ == ["at params/wide.py:3"]
