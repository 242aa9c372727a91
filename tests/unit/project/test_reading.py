"""What files say of stages, sets and fields without being run."""

from __future__ import annotations

from curifactory.project.reading import Reading


def write(root, files):
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return Reading(root)


def test_stages_are_found_through_imports_of_the_project(tmp_path) -> None:
    reading = write(
        tmp_path,
        {
            "experiments/x.py": "import features\nfrom .parts import load\n@cf.aggregate(outputs=[])\ndef gather(r, rs): ...\n",
            "experiments/parts.py": "from curifactory import stage\n@stage(outputs=['x'])\ndef load(record): ...\n",
            "features/__init__.py": "import experiments.x\n@cf.stage(outputs=['y'])\ndef clean(record): ...\ndef plain(): ...\n",
        },
    )
    assert sorted(reading.list_stages(tmp_path / "experiments/x.py")) == ["clean", "gather", "load"]


def test_set_names_are_those_that_stand_in_get_params_and_what_it_calls(tmp_path) -> None:
    reading = write(
        tmp_path,
        {
            "p.py": (
                "other = Params(name='not this')\n"
                "def get_params():\n    return [Params(name='a'), *more(), Params(name=f'b{1}')]\n"
                "def more():\n    return [Params(name='c'), Params(name='a')]\n"
            )
        },
    )
    assert reading.find_set_lines(tmp_path / "p.py") == {"a": [3, 5], "c": [5]}


def test_fields_come_with_those_of_bases_parts_and_other_files(tmp_path) -> None:
    reading = write(
        tmp_path,
        {
            "p.py": (
                "from base import Base as Start\nfrom typing import ClassVar\n"
                "@dataclass\nclass Params(Start):\n    n: int = 1\n    kept: ClassVar[int] = 2\n    _own: int = 3\n    part: 'Part' = None\n"
                "@dataclass\nclass Part:\n    rate: float = 0.1\n"
                "class Plain:\n    never: int = 0\n"
            ),
            "base.py": "import curifactory as cf\n@dataclass\nclass Base(cf.ExperimentParameters):\n    name: str = ''\n    seed: int = 0\n",
        },
    )
    assert list(reading.find_choices(tmp_path / "p.py")) == ["seed", "n", "part", "part.rate"]


def test_files_that_cannot_be_read_have_nothing(tmp_path) -> None:
    reading = write(
        tmp_path, {"p.py": "def get_params(:\n", "q.py": "import p\nimport q\n@cf.stage()\ndef s(r): ...\n"}
    )
    assert list(reading.find_choices(tmp_path / "p.py")) == []
    assert reading.list_set_names(tmp_path / "nowhere.py") == []
    assert reading.list_stages(tmp_path / "q.py") == ["s"]


def test_classes_that_name_each_other_come_to_an_end(tmp_path) -> None:
    text = "@dataclass\nclass A(cf.ExperimentParameters):\n    other: 'A' = None\nclass B(B): ...\n"
    assert "other" in write(tmp_path, {"p.py": text}).find_choices(tmp_path / "p.py")
