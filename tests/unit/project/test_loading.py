"""Experiments by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from curifactory.errors import DefinitionError, DiscoveryError
from curifactory.project.loading import LoadedExperiment, as_dotted, find_module_file, load_experiment


def write(root: Path, name: str, text: str) -> None:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def load(root: Path, name: str = "iris") -> LoadedExperiment:
    return load_experiment(name, root=root, package="experiments", packages=("experiments", "params"))


def test_an_experiment_is_loaded_with_all_that_is_known_of_it(tmp_path: Path) -> None:
    write(
        tmp_path,
        "experiments/vision/iris.py",
        '"""Sort flowers."""\ndef run(param_sets, manager): return 3\n',
    )
    loaded = load(tmp_path, "vision.iris")
    assert (loaded.name, loaded.doc) == ("vision.iris", "Sort flowers.")
    assert loaded.file == tmp_path / "experiments" / "vision" / "iris.py"
    assert loaded.module.__name__ == "experiments.vision.iris"
    assert loaded.run([], None) == 3


def test_a_folder_with_an_init_is_an_experiment(tmp_path: Path) -> None:
    write(tmp_path, "experiments/iris/__init__.py", "from .work import run\n")
    write(tmp_path, "experiments/iris/work.py", "def run(param_sets, manager): return 'inside'\n")
    assert load(tmp_path).run([], None) == "inside"


@pytest.mark.parametrize(
    "text",
    [
        "def run(param_sets, manager): ...",
        "def run(*arguments): ...",
        "def run(param_sets, manager, verbose=False, **rest): ...",
        "run = lambda sets, manager: None",
        "class Runner:\n    def __call__(self, param_sets, manager): ...\nrun = Runner()",
        "import functools\ndef work(n, param_sets, manager): ...\nrun = functools.partial(work, 3)",
    ],
)
def test_whatever_can_be_called_with_both_is_a_run(tmp_path: Path, text: str) -> None:
    write(tmp_path, "experiments/iris.py", text)
    load(tmp_path).run([], None)


@pytest.mark.parametrize(
    "text",
    [
        "def run(): ...",
        "def run(param_sets): ...",
        "def run(param_sets, manager, n): ...",
        "def run(param_sets, *, manager): ...",
        "def run(param_sets, manager):\n    yield 1",
        "async def run(param_sets, manager): ...",
        "run = 'iris'",
    ],
)
def test_whatever_cannot_is_refused_with_its_line(tmp_path: Path, text: str) -> None:
    write(tmp_path, "experiments/iris.py", text)
    with pytest.raises(DefinitionError, match=r"experiments/iris\.py"):
        load(tmp_path)


def test_a_file_that_only_gives_parameters_is_no_experiment(tmp_path: Path) -> None:
    write(tmp_path, "experiments/wide.py", "def get_params(): ...\n")
    with pytest.raises(
        DiscoveryError, match="It only gives parameters: name it with -p wide, after an experiment"
    ):
        load(tmp_path, "wide")


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "a..b", "iris.", "__init__", "c:iris", "a\\b", "a\0b", "missing"]
)
def test_a_name_never_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    write(tmp_path, "experiments/iris.py", "")
    write(tmp_path, "experiments/__init__.py", "")
    write(tmp_path, "experiments/a/b.py", "")
    assert find_module_file(name, root=tmp_path, package="experiments") is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("iris", "iris"),
        ("./experiments/iris.py", "iris"),
        ("vision/iris", "vision.iris"),
        ("experiments.iris", "iris"),
    ],
)
def test_a_path_is_understood_as_the_name_that_was_meant(written: str, meant: str) -> None:
    assert as_dotted(written, "experiments") == meant
