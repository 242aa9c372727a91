"""What is kept of the environment."""

import importlib.metadata
import json
import sys
import zipfile

from curifactory.provenance.environment import read_environment, read_packages, select_variables


def test_packages_are_those_that_the_standard_library_finds():
    expected = {}
    for distribution in importlib.metadata.distributions():
        name = distribution.metadata["Name"]
        expected.setdefault(name.lower().replace("_", "-").replace(".", "-"), (name, distribution.version))
    assert read_packages() == dict(expected.values())


def test_versions_are_whole():
    # The peer lost the last character of each list.
    assert read_packages()["blake3"] == importlib.metadata.version("blake3")


def test_the_package_that_an_import_would_find_wins(tmp_path, monkeypatch):
    for folder, version in (("first", "2.0"), ("second", "1.0")):
        place = tmp_path / folder / "Some_Flower.dist-info"
        place.mkdir(parents=True)
        (place / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: Some.Flower\nVersion: {version}\n\nName: no\n"
        )
    monkeypatch.setattr(sys, "path", [str(tmp_path / "first"), str(tmp_path / "second")])
    assert read_packages() == {"Some.Flower": "2.0"}


def test_eggs_and_archives_are_found_and_damaged_metadata_is_passed_over(tmp_path, monkeypatch):
    (tmp_path / "old.egg-info").write_text("Metadata-Version: 1.0\nName: old\nVersion: 0.1\n")
    (tmp_path / "folder.egg-info").mkdir()
    (tmp_path / "folder.egg-info" / "PKG-INFO").write_text("Name: folder\nVersion: 0.2\n")
    (tmp_path / "empty.dist-info").mkdir()
    (tmp_path / "noise.dist-info").mkdir()
    (tmp_path / "noise.dist-info" / "METADATA").write_bytes(b"\xff\xfe\x00")
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        archive.writestr(
            "packed-0.3.dist-info/METADATA", "Metadata-Version: 2.1\nName: packed\nVersion: 0.3\n\n"
        )
    monkeypatch.setattr(sys, "path", [str(tmp_path), str(tmp_path / "packed.zip"), str(tmp_path / "absent")])
    assert read_packages() == {"folder": "0.2", "old": "0.1", "packed": "0.3"}


def test_who_changes_the_answer_does_not_change_the_next_one():
    read_packages().clear()
    assert read_packages()


def test_variables_are_chosen_by_name_and_beginning_and_masked():
    environ = {
        "CUDA_VISIBLE_DEVICES": "0",
        "SLURM_JOB_ID": "7",
        "SLURM_JWT": "abc",
        "CURIFACTORY_REMOTE": "https://u:p@host/x",
        "HOME": "/home/ann",
        "AWS_SECRET_ACCESS_KEY": "abc",
        "MINE": "x",
    }
    assert select_variables(environ, also=["MINE", "AWS_SECRET_ACCESS_KEY"]) == {
        "AWS_SECRET_ACCESS_KEY": "********",
        "CUDA_VISIBLE_DEVICES": "0",
        "CURIFACTORY_REMOTE": "https://********@host/x",
        "MINE": "x",
        "SLURM_JOB_ID": "7",
        "SLURM_JWT": "********",
    }


def test_the_environment_is_json_and_says_which_python():
    found = read_environment()
    assert json.loads(json.dumps(found)) == found
    assert found["python"].startswith(".".join(map(str, sys.version_info[:3])))
    assert found["cpus"] >= 1
    assert found["memory_bytes"] > 2**20
    assert "blake3" in found["packages"]
