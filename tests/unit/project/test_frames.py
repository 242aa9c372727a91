"""The person's own lines of a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from curifactory.project.frames import PersonFrame, find_frames
from curifactory.project.root import find_root


def raise_from(file: Path, text: str) -> Exception:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    space: dict[str, object] = {}
    try:
        exec(compile(text, str(file), "exec"), space)
    except Exception as error:  # noqa: BLE001
        return error
    raise AssertionError


def test_frames_of_the_project_are_shown_relative_to_it(tmp_path: Path) -> None:
    error = raise_from(tmp_path / "experiments" / "iris.py", "def fail():\n    1 / 0\n\nfail()\n")
    assert find_frames(error, tmp_path) == [
        PersonFrame("experiments/iris.py", 4, "<module>", "fail()"),
        PersonFrame("experiments/iris.py", 2, "fail", "1 / 0"),
    ]


def test_installed_packages_below_the_project_are_not_the_person_s(tmp_path: Path) -> None:
    error = raise_from(tmp_path / ".venv" / "lib" / "python3" / "site-packages" / "x.py", "1 / 0\n")
    own = [frame.file for frame in find_frames(error, tmp_path)]
    assert not any("site-packages" in file for file in own)


def test_code_outside_of_the_project_is_shown_where_there_is_none_inside(tmp_path: Path) -> None:
    error = raise_from(tmp_path / "elsewhere" / "tools.py", "1 / 0\n")
    (tmp_path / "project").mkdir()
    assert find_frames(error, tmp_path / "project")[-1].file == str(tmp_path / "elsewhere" / "tools.py")


def test_this_package_s_own_frames_are_never_shown() -> None:
    with pytest.raises(TypeError) as raised:
        find_root(start=3)  # type: ignore[arg-type]
    frames = find_frames(raised.value, Path(__file__).parent)
    assert [frame.file for frame in frames] == [Path(__file__).name]
