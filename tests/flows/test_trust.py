"""S5: what can run code is not loaded from a store that came from elsewhere, before somebody says that it may be."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.conftest import Finished, Project

CASE = """from dataclasses import dataclass
import numpy as np
import pandas as pd
import curifactory as cf
from curifactory.caching import JsonCacher, NumpyCacher, PandasCacher, PickleCacher

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1

@cf.stage(outputs=["value"], cachers=[CACHER])
def make(record):
    return VALUE

@cf.stage(inputs=["value"], outputs=["shown"], cachers=[JsonCacher])
def use(record, value):
    return [record.params.n, type(value).__name__]

def get_params():
    return [Params(name="only")]

def run(param_sets, manager):
    for params in param_sets:
        use(make(cf.Record(manager, params)))
"""
KINDS = {
    "pickle": ("PickleCacher", "{'a': 1}", True),
    "a frame as a pickle": ("PandasCacher", "pd.DataFrame({'a': [1]})", True),
    "an array of objects": ("NumpyCacher(allow_pickle=True)", "np.array([{}, 1], dtype=object)", True),
    "an array": ("NumpyCacher", "np.zeros(3)", False),
    "JSON": ("JsonCacher", "{'a': 1}", False),
    "CSV": ("PandasCacher(format='csv')", "pd.DataFrame({'a': [1]})", False),
}
ELSEWHERE = "came from elsewhere"


def case_of(kind: str) -> str:
    cacher, value, _ = KINDS[kind]
    return (
        CASE.replace("CACHER", cacher, 1)
        .replace("cachers=[JsonCacher]", "cachers=[JsonCacher]")
        .replace("VALUE", value)
    )


@pytest.fixture
def somebody(tmp_path: Path) -> dict[str, str]:
    """Give the environment of another person, or of the same on another machine: their secret is their own."""
    return {"XDG_CONFIG_HOME": str(tmp_path / "somebody")}


@pytest.fixture
def copied(project: Project, somebody: Mapping[str, str]) -> Project:
    """Give a project with results that somebody else has made; its last stage has to run again."""
    make_results(project, "pickle", somebody)
    return project


def make_results(project: Project, kind: str, somebody: Mapping[str, str]) -> None:
    project.write("experiments/case.py", case_of(kind))
    project.experiment("case", "--quiet", "--no-report", env=somebody)
    project.write("experiments/case.py", case_of(kind).replace("n: int = 1", "n: int = 2"))


def run(project: Project, *words: str, env: Mapping[str, str] | None = None) -> Finished:
    return project.experiment("case", "--no-report", *words, check=False, env=env)


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_can_run_code_is_refused(project: Project, kind: str, somebody: Mapping[str, str]) -> None:
    make_results(project, kind, somebody)
    done = run(project)
    if KINDS[kind][2]:
        assert done.returncode == 1, done.output
        assert ELSEWHERE in done.stderr
        assert "--trust" in done.stderr
    else:
        assert done.returncode == 0, done.output
        assert ELSEWHERE not in done.output


def test_what_one_has_made_oneself_is_loaded_without_a_word(project: Project) -> None:
    make_results(project, "pickle", {})
    done = run(project)
    assert done.returncode == 0
    assert "reused  make" in done.stdout
    assert done.stderr == ""


def test_trust_is_said_once(copied: Project) -> None:
    assert run(copied, "--trust").returncode == 0
    copied.write("experiments/case.py", case_of("pickle").replace("n: int = 1", "n: int = 3"))
    done = run(copied)
    assert (done.returncode, done.stderr) == (0, "")


def test_who_was_trusted_before_still_is(copied: Project, somebody: Mapping[str, str]) -> None:
    run(copied, "--trust")
    copied.write("experiments/case.py", case_of("pickle").replace("n: int = 1", "n: int = 3"))
    assert run(copied, env=somebody).returncode == 0


def test_a_dry_run_trusts_and_marks_nothing(copied: Project) -> None:
    before = copied.files("data")
    assert run(copied, "--trust", "--dry").returncode == 0
    assert copied.files("data") == before
    assert run(copied).returncode == 1


def test_the_setting_never_asks(copied: Project) -> None:
    assert run(copied, env={"CURIFACTORY_TRUST": "1"}).returncode == 0
    assert run(copied, "--overwrite-stage", "use").returncode == 1


def test_reuse_without_loading_needs_no_trust(project: Project, somebody: Mapping[str, str]) -> None:
    project.write("experiments/case.py", case_of("pickle"))
    project.experiment("case", "--quiet", "--no-report", env=somebody)
    done = run(project)
    assert done.returncode == 0
    assert "nothing had to run" in done.stdout


@pytest.mark.parametrize("mark", [None, "", "noise", "[]", '{"id": "x"}', '{"id": "x", "seals": ["0"]}'])
def test_a_mark_that_is_gone_or_false_is_none(copied: Project, mark: str | None) -> None:
    file = copied.root / "data/owner.json"
    if mark is None:
        file.unlink()
    else:
        file.write_text(mark)
    assert run(copied).returncode == 1
    assert run(copied, "--trust").returncode == 0
    assert run(copied, "--overwrite-stage", "use").returncode == 0


def test_a_mark_of_another_store_is_no_mark_for_it(copied: Project, somebody: Mapping[str, str]) -> None:
    """The seal is of the identity: whoever takes over a seal that they have seen must take over its store's identity."""
    mark = json.loads((copied.root / "data/owner.json").read_text())
    (copied.root / "data/owner.json").write_text(json.dumps({**mark, "id": "0" * 32}))
    assert run(copied, env=somebody).returncode == 1


def test_an_empty_store_becomes_that_of_who_begins_it(copied: Project) -> None:
    shutil.rmtree(copied.root / "data")
    assert run(copied).returncode == 0
    assert run(copied, "--overwrite-stage", "use").returncode == 0


def test_where_no_secret_can_be_kept_one_s_own_data_is_still_one_s_own(project: Project) -> None:
    nowhere = {"XDG_CONFIG_HOME": "/proc/nowhere"}
    make_results(project, "pickle", nowhere)
    assert run(project, env=nowhere).returncode == 0


def test_the_secret_is_for_its_owner_alone(
    project: Project, somebody: Mapping[str, str], tmp_path: Path
) -> None:
    make_results(project, "pickle", somebody)
    secret = tmp_path / "somebody/curifactory/secret"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert len(secret.read_bytes()) == 32
    assert secret.read_bytes().hex() not in (project.root / "data/owner.json").read_text()


def test_programs_trust_in_the_same_words(copied: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    import curifactory as cf
    from curifactory.errors import UntrustedError

    monkeypatch.chdir(copied.root)
    past = cf.load_run("case/-1")
    artifact = past.records[0].artifacts["value"]
    with pytest.raises(UntrustedError, match=ELSEWHERE):
        artifact.load()
    assert artifact.load(trust=True) == {"a": 1}
    with pytest.raises(UntrustedError):
        cf.run_experiment("case", report=False)
    cf.run_experiment("case", report=False, trust=True)
    assert cf.load_run("case/-1").records[0].artifacts["value"].load() == {"a": 1}
