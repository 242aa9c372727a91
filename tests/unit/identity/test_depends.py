from __future__ import annotations

import os
import platform

from curifactory.identity.depends import package_version, path_digest


def test_a_file_counts_by_its_content(tmp_path):
    (tmp_path / "a").write_text("1")
    (tmp_path / "b").write_text("1")
    first = path_digest(str(tmp_path / "a"))
    assert first == path_digest(str(tmp_path / "b"))
    (tmp_path / "a").write_text("22")
    assert path_digest(str(tmp_path / "a")) != first
    (tmp_path / "a").unlink()
    assert path_digest(str(tmp_path / "a")) == "missing"


def test_a_folder_counts_by_names_and_contents(tmp_path):
    folder = tmp_path / "data"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "a").write_text("1")
    seen = [path_digest(str(folder))]
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "x.pyc").write_text("1")
    assert path_digest(str(folder)) == seen[0]
    (folder / "inner" / "a").rename(folder / "inner" / "b")
    seen.append(path_digest(str(folder)))
    (folder / "inner" / "b").write_text("other")
    seen.append(path_digest(str(folder)))
    os.symlink(tmp_path / "nowhere", folder / "dangling")
    seen.append(path_digest(str(folder)))
    assert len(set(seen)) == 4


def test_a_package_has_a_version_under_its_own_name_and_its_modules():
    assert package_version("scikit-learn") == package_version("sklearn") == package_version("sklearn.base")
    assert package_version("json") == f"python {platform.python_version()}"
    assert package_version("no-such-thing") is None
