"""D2 and D7: what is damaged, lost or unreadable is noticed, said in one line, and made again; nothing is erased."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# The long form by hand: CURIFACTORY_FAULTS=10 tries ten times as much.
FACTOR = float(os.environ.get("CURIFACTORY_FAULTS", "1"))
TURNS = round(12 * FACTOR)


def truncate(path: Path, chance: random.Random) -> None:
    size = path.stat().st_size
    os.truncate(path, chance.randrange(size) if size else 0)


def empty(path: Path, chance: random.Random) -> None:
    os.truncate(path, 0)


def flip(path: Path, chance: random.Random) -> None:
    data = bytearray(path.read_bytes())
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    replaced(path, bytes(data))


def delete(path: Path, chance: random.Random) -> None:
    path.unlink()


def scramble(path: Path, chance: random.Random) -> None:
    replaced(path, chance.randbytes(max(path.stat().st_size, 10)))


def make_folder(path: Path, chance: random.Random) -> None:
    path.unlink()
    path.mkdir()


def replaced(path: Path, data: bytes) -> None:
    """Write other bytes, as a faulty disk or a person's editor does: some time after the file was made."""
    path.unlink()
    path.write_bytes(data)


DAMAGES: list[Callable[[Path, random.Random], None]] = [truncate, empty, flip, delete, scramble, make_folder]


def damageable(root: Path) -> list[Path]:
    """Return every file that a later run leans on."""
    found = []
    for folder in ("cache", "manifests", "superseded"):
        found += sorted(path for path in (root / "data" / folder).rglob("*") if path.is_file())
    return [*found, root / "data" / "index.db"]


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_d2_whatever_is_damaged_the_next_run_is_right(hurt: Any) -> None:
    chance = random.Random(20)
    hurt.run()
    for _ in range(TURNS):
        for path in chance.sample(damageable(hurt.project.root), chance.randint(1, 3)):
            if path.is_file():
                chance.choice(DAMAGES)(path, chance)
        done = hurt.run(*chance.choice([(), ("--overwrite-stage", "measure"), ("-j", "2")]))
        assert hurt.result() == hurt.expected, done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize(
    "pattern", ["cache/*expand_block*", "cache/*measure_size*", "cache/*notes*", "manifests/*measure/*.json"]
)
def test_d2_each_damage_on_each_kind_of_file(
    hurt: Any, pattern: str, damage: Callable[[Path, random.Random], None]
) -> None:
    hurt.run()
    path = min((hurt.project.root / "data").glob(pattern))
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    damage(path, random.Random(3))
    is_gone = not path.exists()
    hurt.forget_executions()
    # All that lies in the cache is wanted: a lost file in the middle alone would not be made again.
    done = hurt.run("--store-full")
    assert hurt.result() == hurt.expected
    assert hurt.executions().total() >= 1, done.stdout
    if "cache" in str(path):
        assert hashlib.sha256(path.read_bytes()).hexdigest() == before
    if not is_gone and damage is not make_folder:
        damaged = [each for each in (hurt.project.root / "data" / "superseded").rglob("*") if each.is_file()]
        assert damaged, "the damaged file was erased"


@pytest.mark.parametrize("damage", ["delete", "truncate", "noise"])
def test_d7_the_index_can_be_lost_at_any_time(hurt: Any, damage: str) -> None:
    hurt.run()
    hurt.forget_executions()
    index = hurt.project.root / "data" / "index.db"
    for path in index.parent.glob("index.db*"):
        if damage == "delete":
            path.unlink()
        elif damage == "truncate":
            os.truncate(path, path.stat().st_size // 2)
        else:
            path.write_bytes(random.Random(1).randbytes(10_000))
    hurt.run()
    assert hurt.result() == hurt.expected
    assert hurt.executions().total() == 0
    listed = hurt.project.experiment("runs", "--json")
    assert listed.stdout.count('"case_') >= 2


@pytest.mark.parametrize("damage", ["delete", "folder", "empty"])
def test_a_run_that_has_lost_its_facts_is_told_by_its_name(hurt: Any, damage: str) -> None:
    hurt.run()
    (facts,) = (hurt.project.root / "data" / "runs").glob("case_1_*/run.json")
    facts.unlink()
    if damage == "folder":
        facts.mkdir()
    elif damage == "empty":
        facts.touch()
    hurt.run()
    for words in (("show", "case_1"), ("diff", "case_1", "case_2"), ("report", str(facts.parent.name))):
        done = hurt.project.experiment(*words, check=False)
        assert done.returncode == 1, done.output
        (fault,) = done.stderr.splitlines()
        assert str(facts.parent) in fault
        assert "run.json" in fault
    # What only begins as one is called is none.
    assert "Did you mean 'case_2'" in hurt.project.experiment("show", "case_3", check=False).stderr
