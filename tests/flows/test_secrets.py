"""Secrets stay out: of what a run keeps, of its report, and of what the commands show."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.conftest import Project

# Each road that a secret takes has a marker of its own, so that a failure names the road.
ROADS = """
    field nested mapping address positional changed remote variable patch untracked command notes text_error
    word_error log warning output report
"""
MARKERS = {name: f"mark3r-{number:02}-{name.replace('_', '-')}" for number, name in enumerate(ROADS.split())}
EXPERIMENT = '''"""Reads a table from a service."""
import logging
import os
import warnings
from dataclasses import dataclass, field

import curifactory as cf
from curifactory.caching import JsonCacher, PickleCacher
from curifactory.reporting import JsonReporter


@dataclass
class Login:
    user: str = "ann"
    password: str = field(default_factory=lambda: os.environ["M_nested"])


class Client:
    def __init__(self, api_key):
        self.api_key = api_key

    def __repr__(self):
        return f"Client(api_key={self.api_key!r})"


@dataclass
class Params(cf.ExperimentParameters):
    api_key: str = field(default_factory=lambda: os.environ["M_field"])
    login: Login = field(default_factory=Login)
    options: dict = field(default_factory=lambda: {"auth_token": os.environ["M_mapping"], "retries": 3})
    service: str = field(default_factory=lambda: f"https://ann:{os.environ['M_address']}@example.org/table")
    fails: bool = False

    @property
    def client(self):
        return Client(self.api_key)


@cf.stage(inputs=None, outputs=["rows", "access_token"], cachers=[JsonCacher, PickleCacher])
def load(record):
    params = record.params
    logging.getLogger("service").warning("asking %s", params.service)
    logging.getLogger("service").warning("with api_key=%r", os.environ["M_log"])
    warnings.warn(f"old password={os.environ['M_warning']}")
    record.report(JsonReporter({"api_key": params.api_key, "client": repr(params.client)}, name="client"))
    record.report(JsonReporter(params.login, name="login"))
    record.report(JsonReporter({"secret": [os.environ["M_report"]], "url": params.service}, name="service"))
    record.log({"rows": 2})
    return [params.login.user, params.options["retries"], len(params.options["auth_token"])], os.environ["M_output"]


@cf.stage(inputs=["rows"], outputs=["total"], cachers=[JsonCacher])
def count(record, rows):
    whole = repr(record.params)
    if record.params.fails:
        raise ConnectionError(
            f"https://ann:{os.environ['M_text_error']}@example.org refused "
            f"Client(api_key={os.environ['M_word_error']!r})",
        )
    return len(rows) + (len(whole) > 0)


def get_params():
    return [Params(name="plain"), Params(name="other", api_key="no-marker")]


def run(param_sets, manager):
    for params in param_sets:
        record = cf.Record(manager, params)
        count(load(record))
'''


@pytest.fixture
def service(project: Project) -> Project:
    """Give a project in git whose parameters, environment, remote, code and words are full of secrets."""
    project.environment |= {f"M_{name}": marker for name, marker in MARKERS.items()}
    project.environment |= {
        "SLURM_JWT": MARKERS["variable"],
        "CURIFACTORY_CACHE_PATH": "data/cache",
        "XLA_FLAGS": f"--auth_token={MARKERS['variable']}",
    }
    project.write("experiments/service.py", EXPERIMENT)
    project.write("old.py", "old = 1\n")
    project.write(".gitignore", "data/\nreports/\n__pycache__/\n")
    project.git("init", "-q")
    project.git("remote", "add", "origin", f"https://ann:{MARKERS['remote']}@example.org/service.git")
    project.git("add", ".")
    project.git("commit", "-q", "-m", "first")
    project.write("old.py", f'password = "{MARKERS["patch"]}"\n')
    project.write("new.py", f'URL = "https://ann:{MARKERS["untracked"]}@example.org"\n')
    project.write("db.yaml", f"password: {MARKERS['untracked']}\n")
    return project


def leaks_in(texts: Iterable[tuple[str, str | bytes]]) -> list[str]:
    """List which marker stands where."""
    return [
        f"{name} in {place}"
        for place, text in texts
        for name, marker in MARKERS.items()
        if marker in (text.decode("utf-8", "replace") if isinstance(text, bytes) else text)
    ]


def kept(project: Project) -> list[tuple[str, bytes]]:
    """Give everything that a run keeps or draws, but for the artifacts themselves, which are the person's."""
    data = project.root / "data"
    found = [
        path
        for folder in (data, project.root / "reports")
        for path in folder.rglob("*")
        if path.is_file() and not {"cache", "superseded"} & set(path.relative_to(project.root).parts)
    ]
    return [(path.relative_to(project.root).as_posix(), path.read_bytes()) for path in found]


def run_words() -> list[str]:
    return [
        "service",
        "--notes",
        f"see https://ann:{MARKERS['notes']}@example.org api_key={MARKERS['command']}",
    ]


def shown(project: Project) -> list[tuple[str, str]]:
    """Give what the reading commands say."""
    commands = [
        ["show"],
        ["show", "--json"],
        ["runs", "--json"],
        ["service", "--print-params"],
        ["service", "--print-params", "-v"],
        ["service", "--map", "-v"],
        ["service", "--map", "--json"],
    ]
    return [(" ".join(command), project.experiment(*command).stdout) for command in commands]


def test_nothing_that_a_run_keeps_or_shows_has_a_secret(service: Project) -> None:
    service.experiment(*run_words())
    files = kept(service)
    names = {place.rpartition("/")[2] for place, _ in files}
    assert {
        "run.json",
        "parameters.json",
        "calls.jsonl",
        "log.txt",
        "environment.json",
        "index.html",
    } <= names
    assert "patch.diff" not in names
    assert leaks_in(files) == []
    assert leaks_in(shown(service)) == []


def test_nothing_that_a_failing_run_keeps_or_shows_has_a_secret(service: Project) -> None:
    service.write("experiments/service.py", EXPERIMENT.replace("fails: bool = False", "fails: bool = True"))
    done = service.experiment(*run_words(), check=False)
    assert done.returncode == 1
    assert "example.org refused" in done.stderr
    files = kept(service)
    assert any(b"example.org refused" in text for place, text in files if place.endswith("run.json"))
    assert leaks_in(files) == []
    assert leaks_in(shown(service)) == []
    # What the stage itself wrote to standard error is the person's.
    told = done.stdout + done.stderr[done.stderr.index("Stage 'count'") :]
    assert "ConnectionError: https://********@example.org refused Client(api_key='********')" in told
    assert leaks_in([("what it said", told)]) == []


def test_a_secret_that_changed_is_a_reason_without_its_value(service: Project) -> None:
    service.experiment("service")
    service.environment["M_field"] = MARKERS["changed"]
    service.write(
        "experiments/service.py",
        EXPERIMENT.replace('api_key="no-marker"', f'api_key="{MARKERS["positional"]}"'),
    )
    told = service.experiment("service", "--map", "--json").stdout
    reasons = [row["reason"]["text"] for row in json.loads(told)["calls"] if row["reason"]]
    assert any(reason.startswith("parameter api_key: ******** → ********") for reason in reasons)
    assert leaks_in([("map", told)]) == []
    service.experiment("service")
    assert leaks_in(kept(service)) == []


def test_what_was_masked_is_still_told_apart(service: Project) -> None:
    """Two sets that differ in a secret alone are two sets."""
    service.experiment("service")
    (run,) = (service.root / "data/runs").glob("service_1_*")
    sets = json.loads((run / "parameters.json").read_text(encoding="utf-8"))
    assert [each["shown"]["api_key"] for each in sets] == ["********", "********"]
    assert len({each["hash"] for each in sets}) == 2
