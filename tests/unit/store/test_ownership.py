"""Whose store it is."""

from __future__ import annotations

import json
import os
import stat
import threading
from types import SimpleNamespace

import pytest

from curifactory.errors import UntrustedError
from curifactory.store.ownership import OWNER_NAME, Ownership, read_secret

RUNS = SimpleNamespace(runs_code=True)


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "data/cache"


def fill(cache) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    (cache / "x.pkl").write_text("")


def test_a_store_that_is_begun_here_is_ours_when_things_are_in_it(cache) -> None:
    Ownership(cache).claim()
    fill(cache)
    assert Ownership(cache).is_ours


def test_a_store_with_things_in_it_is_not_claimed(cache) -> None:
    fill(cache)
    Ownership(cache).claim()
    assert not (cache.parent / OWNER_NAME).exists()
    assert not Ownership(cache).is_ours


def test_manifests_are_things_too(cache) -> None:
    (cache.parent / "manifests/iris.train").mkdir(parents=True)
    assert not Ownership(cache).is_ours


def test_an_empty_store_is_nobody_s_and_may_be_read(cache) -> None:
    assert Ownership(cache).is_ours
    assert not (cache.parent / OWNER_NAME).exists()


def test_claiming_again_changes_nothing(cache) -> None:
    Ownership(cache).claim()
    before = (cache.parent / OWNER_NAME).read_bytes()
    Ownership(cache).claim()
    Ownership(cache).trust()
    assert (cache.parent / OWNER_NAME).read_bytes() == before


def test_another_secret_is_another_person(cache, monkeypatch, tmp_path) -> None:
    Ownership(cache).claim()
    fill(cache)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "other"))
    other = Ownership(cache)
    assert not other.is_ours
    with pytest.raises(UntrustedError, match="came from elsewhere"):
        other.check(RUNS, "data/cache/x.pkl")
    other.check(SimpleNamespace(runs_code=False), "data/cache/x.json")
    Ownership(cache, trusts=True).check(RUNS, "data/cache/x.pkl")
    other.trust()
    assert Ownership(cache).is_ours
    assert len(json.loads((cache.parent / OWNER_NAME).read_text())["seals"]) == 2


def test_a_mark_that_cannot_be_written_is_no_fault(tmp_path) -> None:
    (tmp_path / "data").write_text("a file")
    Ownership(tmp_path / "data/cache").claim()
    Ownership(tmp_path / "data/cache").trust()


def test_many_at_once_make_one_secret(tmp_path) -> None:
    here = {"XDG_CONFIG_HOME": str(tmp_path)}
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(read_secret(here))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert sorted(path.name for path in (tmp_path / "curifactory").iterdir()) == ["secret"]


def test_a_secret_that_was_cut_short_is_made_anew(tmp_path) -> None:
    here = {"XDG_CONFIG_HOME": str(tmp_path)}
    before = read_secret(here)
    (tmp_path / "curifactory/secret").write_bytes(before[:5])
    assert len(read_secret(here)) == 32
    assert read_secret(here) == read_secret(here)


def test_without_a_place_for_it_the_secret_is_the_machine_s(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    nowhere = {"XDG_CONFIG_HOME": str(tmp_path / "file")}
    assert read_secret(nowhere) == read_secret(nowhere)


def test_the_mark_is_for_all_who_share_the_store_and_the_secret_for_one_person(cache, tmp_path) -> None:
    before = os.umask(0o022)
    try:
        Ownership(cache).claim()
        read_secret({"XDG_CONFIG_HOME": str(tmp_path / "own")})
    finally:
        os.umask(before)
    secret = next((tmp_path / "own" / "curifactory").iterdir())
    assert stat.S_IMODE((cache.parent / OWNER_NAME).stat().st_mode) == 0o644
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600


def test_another_person_s_seal_stays_when_one_s_own_is_added(cache, tmp_path, monkeypatch) -> None:
    Ownership(cache).claim()
    fill(cache)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "colleague"))
    assert not Ownership(cache).is_ours
    Ownership(cache).trust()
    assert Ownership(cache).is_ours
    monkeypatch.undo()
    assert Ownership(cache).is_ours


@pytest.mark.parametrize("torn", ["", "{", '{"format": 1, "id": "00', "[]", '{"seals": []}'])
def test_a_damaged_mark_is_made_anew_while_the_store_is_empty(cache, torn) -> None:
    cache.parent.mkdir(parents=True)
    (cache.parent / OWNER_NAME).write_text(torn)
    assert Ownership(cache).is_ours
    Ownership(cache).claim()
    fill(cache)
    assert Ownership(cache).is_ours


def test_a_damaged_mark_beside_things_is_said_to_be_damaged_and_is_mended_by_trust(cache) -> None:
    Ownership(cache).claim()
    fill(cache)
    (cache.parent / OWNER_NAME).write_text("")
    Ownership(cache).claim()
    with pytest.raises(
        UntrustedError, match=r"owner\.json, which says who made the store, is damaged.*--trust"
    ):
        Ownership(cache).check(RUNS, "x.pkl")
    Ownership(cache).trust()
    Ownership(cache).check(RUNS, "x.pkl")
    assert Ownership(cache).is_ours


def test_the_mark_and_the_secret_are_on_the_disk_with_their_names_before_anything_stands_on_them(
    cache, monkeypatch, tmp_path
) -> None:
    written = {}

    def look(handle, fsync=os.fsync) -> None:
        fsync(handle)
        written[os.fstat(handle).st_ino] = os.fstat(handle).st_size

    monkeypatch.setattr(os, "fsync", look)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    Ownership(cache).claim()
    for file in (cache.parent / OWNER_NAME, tmp_path / "config/curifactory/secret"):
        assert written[file.stat().st_ino] == file.stat().st_size > 0
        # They may lie on two disks: a mark that outlives the secret would be somebody else's.
        assert file.parent.stat().st_ino in written
