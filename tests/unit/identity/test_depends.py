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


def test_a_folder_counts_with_what_its_links_lead_to(tmp_path):
    folder, real = tmp_path / "data", tmp_path / "real"
    folder.mkdir()
    real.mkdir()
    (real / "a").write_text("1")
    os.symlink(real, folder / "link")
    seen = [path_digest(str(folder))]
    (real / "a").write_text("22")
    seen.append(path_digest(str(folder)))
    os.symlink(folder, real / "back")
    seen.append(path_digest(str(folder)))
    os.symlink(real, folder / "second")
    seen.append(path_digest(str(folder)))
    assert len(set(seen)) == 4


def test_a_pattern_counts_by_all_that_fits_it(tmp_path):
    pattern = str(tmp_path / "data" / "**" / "*.csv")
    seen = [path_digest(pattern)]
    (tmp_path / "data" / "inner").mkdir(parents=True)
    (tmp_path / "data" / "a.csv").write_text("1")
    seen.append(path_digest(pattern))
    (tmp_path / "data" / "inner" / "b.csv").write_text("2")
    seen.append(path_digest(pattern))
    (tmp_path / "data" / "inner" / "b.csv").write_text("33")
    seen.append(path_digest(pattern))
    (tmp_path / "data" / "inner" / "b.txt").write_text("4")
    assert path_digest(pattern) == seen[-1]
    (tmp_path / "data" / "inner" / "b.csv").rename(tmp_path / "data" / "inner" / "c.csv")
    seen.append(path_digest(pattern))
    assert len(set(seen)) == 5
    # The folder in which the pattern begins may lie anywhere.
    (tmp_path / "data").rename(tmp_path / "moved")
    assert path_digest(str(tmp_path / "moved" / "**" / "*.csv")) == seen[-1]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path):
    (tmp_path / "a[1].csv").write_text("1")
    (tmp_path / "a1.csv").write_text("1")
    first = path_digest(str(tmp_path / "a[1].csv"))
    (tmp_path / "a1.csv").write_text("22")
    assert path_digest(str(tmp_path / "a[1].csv")) == first == path_digest(str(tmp_path / "a[1].csv"))
