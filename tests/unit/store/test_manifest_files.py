import os
import threading
from pathlib import Path

from curifactory.store.layout import Layout
from curifactory.store.manifest_files import ManifestFiles


def write_all(folder: Path, writers: int, stages: range) -> list[OSError]:
    """Let many write the first file of each stage at the same moment, and give what went wrong."""
    together, faults = threading.Barrier(writers), []

    def write(own: int) -> None:
        files = ManifestFiles(Layout(folder / "cache"))
        try:
            for stage in stages:
                together.wait()
                try:
                    files.write(files.path(f"stage_{stage}", f"{own:02x}"), b"{}")
                except OSError as error:
                    faults.append(error)
        finally:
            files.close()

    threads = [threading.Thread(target=write, args=(own,)) for own in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return faults


def test_who_makes_the_folder_of_a_stage_at_the_same_moment_fails_nobody(tmp_path):
    assert write_all(tmp_path / "data", 8, range(60)) == []
    written = {
        stage: len(os.listdir(tmp_path / "data/manifests" / stage))
        for stage in os.listdir(tmp_path / "data/manifests")
    }
    assert set(written.values()) == {8}
    assert len(written) == 60
