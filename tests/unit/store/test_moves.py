"""How files and folders get other names: what goes wrong is told as it is."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from curifactory.store import moves


def link(source: str, target: str) -> None:
    moves.link(source, target, scratch=os.path.dirname(target))


@pytest.mark.parametrize("put", [link, moves.copy])
def test_of_a_folder_that_cannot_be_copied_the_error_of_its_file_is_raised(
    tmp_path: Path, put: Callable[[str, str], object]
) -> None:
    source, target = tmp_path / "source", tmp_path / "there" / "target"
    (source / "inner").mkdir(parents=True)
    target.parent.mkdir()
    # Lines are copied, and this file of lines is none that could be.
    os.mkfifo(source / "inner" / "lines.jsonl")
    with pytest.raises(shutil.SpecialFileError, match=r"lines\.jsonl` is a named pipe"):
        put(str(source), str(target))
    assert not target.exists()
