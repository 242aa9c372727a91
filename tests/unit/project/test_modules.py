"""A project's modules are its own, whatever else goes by their names."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from curifactory.errors import DefinitionError, DiscoveryError
from curifactory.project.modules import import_file, put_first

PACKAGES = ("experiments", "params")


def write(root: Path, name: str, text: str = "") -> Path:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def load(root: Path, name: str = "experiments.iris") -> ModuleType:
    file = root.joinpath(*name.split(".")).with_suffix(".py")
    return import_file(name, file, root=root, packages=PACKAGES, what="Experiment 'iris'")


def refuse(root: Path) -> str:
    with pytest.raises(DiscoveryError) as raised:
        load(root)
    return str(raised.value)


def test_an_installed_package_of_the_same_name_does_not_win(tmp_path: Path) -> None:
    """A folder without `__init__.py` would lose against any installed package, even from first place on the path."""
    installed, root = tmp_path / "installed", tmp_path / "root"
    for package in PACKAGES:
        write(installed, f"{package}/__init__.py")
        write(installed, f"{package}/iris.py", "origin = 'installed'")
    write(root, "params/iris.py", "origin = 'project'")
    write(root, "experiments/iris.py", "from params.iris import origin")
    sys.path.insert(0, str(installed))
    assert load(root).origin == "project"


def test_one_that_has_been_imported_already_does_not_win_either(tmp_path: Path) -> None:
    installed, root = tmp_path / "installed", tmp_path / "root"
    write(installed, "experiments/__init__.py")
    write(installed, "experiments/iris.py", "origin = 'installed'")
    write(root, "experiments/__init__.py")
    write(root, "experiments/iris.py", "origin = 'project'")
    sys.path.insert(0, str(installed))
    import experiments.iris  # type: ignore[import-not-found,unused-ignore]

    assert experiments.iris.origin == "installed"
    assert load(root).origin == "project"


def test_two_projects_in_one_process_have_their_own_modules(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write(tmp_path / name, "experiments/iris.py", f"origin = '{name}'")
    assert [load(tmp_path / name).origin for name in ("one", "two", "one")] == ["one", "two", "one"]


def test_a_module_that_is_loaded_is_not_loaded_again(tmp_path: Path) -> None:
    write(tmp_path, "experiments/iris.py")
    assert load(tmp_path) is load(tmp_path)


def test_nested_folders_are_packages(tmp_path: Path) -> None:
    write(tmp_path, "experiments/vision/deep/iris.py", "from experiments.vision.tools import origin")
    write(tmp_path, "experiments/vision/tools.py", "origin = 'here'")
    assert load(tmp_path, "experiments.vision.deep.iris").origin == "here"


def test_modules_of_the_root_are_found_before_installed_ones(tmp_path: Path) -> None:
    installed, root = tmp_path / "installed", tmp_path / "root"
    write(installed, "features.py", "origin = 'installed'")
    write(root, "features.py", "origin = 'project'")
    write(root, "experiments/iris.py", "from features import origin")
    sys.path[:] = [str(installed), str(root), *sys.path]
    assert load(root).origin == "project"
    assert sys.path.count(str(root)) == 1


def test_the_root_is_put_first_once(tmp_path: Path) -> None:
    put_first(tmp_path)
    put_first(tmp_path)
    assert sys.path[0] == str(tmp_path)
    assert sys.path.count(str(tmp_path)) == 1


def test_a_syntax_error_names_file_line_and_text(tmp_path: Path) -> None:
    write(tmp_path, "experiments/iris.py", "import helpers_of_iris\n")
    write(tmp_path, "helpers_of_iris.py", "x = 1\ndef broken(:\n    pass\n")
    assert refuse(tmp_path) == (
        "Experiment 'iris' cannot be loaded: helpers_of_iris.py:2: SyntaxError: invalid syntax: def broken(:."
    )


def test_an_exception_at_import_is_shown_with_the_person_s_innermost_line(tmp_path: Path) -> None:
    write(
        tmp_path, "experiments/iris.py", "import json\nimport helpers_of_iris\nhelpers_of_iris.parse('{')\n"
    )
    write(tmp_path, "helpers_of_iris.py", "import json\ndef parse(text):\n    return json.loads(text)\n")
    said = refuse(tmp_path)
    assert said.startswith("Experiment 'iris' cannot be loaded: JSONDecodeError: Expecting property name")
    assert said.endswith("(helpers_of_iris.py:3).")


def test_a_missing_package_is_named_with_its_install_command(tmp_path: Path) -> None:
    write(tmp_path, "experiments/iris.py", "import os\nimport surely_not_there.deep\n")
    assert refuse(tmp_path) == (
        "Experiment 'iris' needs the package 'surely_not_there', which is not installed (experiments/iris.py:2). "
        "Install it with: pip install surely_not_there"
    )


def test_a_package_that_is_installed_under_another_name_is_named_by_that(tmp_path: Path) -> None:
    write(tmp_path, "experiments/iris.py", "import umap\n")
    assert refuse(tmp_path).endswith("Install it with: pip install umap-learn")


def test_a_misspelt_module_of_the_project_is_suggested(tmp_path: Path) -> None:
    write(tmp_path, "features.py")
    write(tmp_path, "experiments/iris.py", "import featurs\n")
    assert "Did you mean 'features' of this project?" in refuse(tmp_path)


def test_a_missing_part_of_the_project_is_no_missing_package(tmp_path: Path) -> None:
    write(tmp_path, "models/nets.py")
    write(tmp_path, "experiments/iris.py", "import models.trees\n")
    assert refuse(tmp_path) == (
        "Experiment 'iris' imports 'models.trees', which this project does not have (experiments/iris.py:1)."
    )


def test_a_missing_part_of_an_installed_package_is_no_missing_package(tmp_path: Path) -> None:
    write(tmp_path, "experiments/iris.py", "import json.faster\n")
    assert "imports 'json.faster', which the installed 'json' does not have" in refuse(tmp_path)


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("from curifactory import Proceduer", "Did you mean 'Procedure'?"),
        ("import curifactory as cf; cf.Recrod", "Did you mean 'Record'?"),
        ("from curifactory import JsonCacher", "Write: from curifactory.caching import JsonCacher"),
        ("from curifactory.procedure import Procedure", "Write: from curifactory import Procedure"),
        ("from curifactory.manager import ArtifactManager", "Write: from curifactory import ArtifactManager"),
        ("from curifactory.staging import stage", "its caching, parameters, reporting and testing."),
        ("import curifactory as cf; cf.utils.get_os()", "its caching, parameters, reporting and testing."),
        ("from models.nets import Smal", "Did you mean 'Small'?"),
        ("import models.net", "Did you mean 'models.nets'?"),
        (
            "from dataclasses import dataclass, field\n@dataclass\nclass Params:\n    a: int = 1\n    b: int",
            "give yours one, or write @dataclass(kw_only=True).",
        ),
    ],
)
def test_a_name_that_a_module_does_not_have_brings_the_one_that_is_meant(
    tmp_path: Path, line: str, hint: str
) -> None:
    write(tmp_path, "models/nets.py", "class Small: ...\n")
    write(tmp_path, "experiments/iris.py", f"{line}\n")
    assert refuse(tmp_path).endswith(hint)


def test_a_script_that_ends_the_program_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "experiments/iris.py", "import sys\nsys.exit('usage: iris.py FILE')\n")
    assert refuse(tmp_path) == (
        "Experiment 'iris' cannot be loaded: it ends the program (SystemExit: usage: iris.py FILE) (experiments/iris.py:2)."
    )


def test_our_own_error_goes_through_with_its_place(tmp_path: Path) -> None:
    write(
        tmp_path,
        "experiments/iris.py",
        "from curifactory.errors import DefinitionError\n\nraise DefinitionError('Outputs are named twice.')\n",
    )
    with pytest.raises(DefinitionError, match="Outputs are named twice") as raised:
        load(tmp_path)
    assert raised.value.__notes__ == ["at experiments/iris.py:3"]


def test_an_interruption_goes_through(tmp_path: Path) -> None:
    write(tmp_path, "experiments/iris.py", "raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        load(tmp_path)
