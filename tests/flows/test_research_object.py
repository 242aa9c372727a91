"""A run as an RO-Crate: what the specifications ask for is there, and their validator finds nothing wrong."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote

import pytest

import curifactory as cf
from curifactory.errors import StoreError

EXPERIMENT = '''"""How squares grow."""
import os
from dataclasses import dataclass
import curifactory as cf
from curifactory.caching import JsonCacher, PickleCacher

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 3
    solver: str = "größe & <b>"
    api_key: str = "hunter2hunter2"

@cf.stage(None, ["number", "a model"], [JsonCacher, PickleCacher])
def make(record):
    with open(os.path.join(record.get_dir("parts"), "one.txt"), "w") as file:
        file.write("1")
    return record.params.n, {"n": record.params.n}

def get_params():
    return [Params(name="small"), Params(name="large", n=7)]

def run(param_sets, manager):
    for params in param_sets:
        make(cf.Record(manager, params))
    if os.path.exists("fail"):
        raise ValueError("token=hunter2hunter2")
'''
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5",
    "https://w3id.org/ro/wfrun/workflow/0.5",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0",
}


@pytest.fixture
def case(project, monkeypatch):
    project.write("experiments/case.py", EXPERIMENT)
    project.write(".gitignore", "data/\nreports/\n__pycache__/\nfail\n")
    project.git("init", "-q")
    project.git("add", "-A")
    project.git("commit", "-qm", "first")
    monkeypatch.chdir(project.root)
    return project


def read(crate: Path) -> dict[str, dict]:
    document = json.loads((crate / "ro-crate-metadata.json").read_text(encoding="utf-8"))
    assert document["@context"] == [
        "https://w3id.org/ro/crate/1.1/context",
        "https://w3id.org/ro/terms/workflow-run/context",
    ]
    entities = {each["@id"]: each for each in document["@graph"]}
    assert len(entities) == len(document["@graph"]), "an entity stands twice"
    return entities


def links(value) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [each["@id"] for each in values]


def test_what_the_specifications_require_is_there(case, tmp_path):
    case.experiment("case", "--no-report")
    crate = cf.load_run("case/-1").export(tmp_path / "crate", format="ro-crate")
    entities = read(crate)

    descriptor, root, action = entities["ro-crate-metadata.json"], entities["./"], entities["#run"]
    assert descriptor["@type"] == "CreativeWork"
    assert descriptor["about"] == {"@id": "./"}
    assert "https://w3id.org/ro/crate/1.1" in links(descriptor["conformsTo"])
    assert root["@type"] == "Dataset"
    assert {"name", "description", "datePublished", "license"} <= root.keys()
    assert set(links(root["conformsTo"])) == PROFILES
    assert entities.keys() >= PROFILES

    workflow = entities[root["mainEntity"]["@id"]]
    assert workflow["@id"] == "code/experiments/case.py"
    assert workflow["@type"] == ["File", "SoftwareSourceCode", "ComputationalWorkflow"]
    assert entities[workflow["programmingLanguage"]["@id"]]["@type"] == "ComputerLanguage"
    for name in ("input", "output"):
        assert {entities[each]["@type"] for each in links(workflow[name])} == {"FormalParameter"}

    assert links(root["mentions"]) == ["#run"]
    assert action["@type"] == "CreateAction"
    assert action["instrument"] == root["mainEntity"]
    assert action["startTime"] < action["endTime"] or action["startTime"] == action["endTime"]
    assert action["actionStatus"] == "http://schema.org/CompletedActionStatus"
    assert entities[action["agent"]["@id"]]["@type"] == "Person"
    for each in links(action["object"]):
        assert entities[each]["exampleOfWork"]["@id"] in links(workflow["input"])
    results = links(action["result"])
    assert len(results) == 6
    for each in results:
        assert entities[each]["exampleOfWork"]["@id"] in links(workflow["output"])


def test_every_file_is_described_and_every_link_leads_somewhere(case, tmp_path):
    case.experiment("case", "--no-report")
    crate = cf.load_run("case/-1").export(tmp_path / "crate", format="ro-crate")
    entities = read(crate)
    described = set(links(entities["./"]["hasPart"])) | {"ro-crate-metadata.json", "ro-crate-preview.html"}
    there = {path.relative_to(crate).as_posix() for path in crate.rglob("*") if path.is_file()}
    assert there <= {unquote(each) for each in described}
    for each in described:
        assert (crate / unquote(each)).exists()
    for entity in entities.values():
        for value in entity.values():
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, dict):
                    assert item["@id"] in entities or item["@id"].startswith("https://"), item


def test_secrets_stay_masked(case, tmp_path):
    case.experiment("case", "--no-report")
    crate = cf.load_run("case/-1").export(tmp_path / "crate", format="ro-crate")
    text = (crate / "ro-crate-metadata.json").read_text()
    assert "hunter2" not in text
    assert "größe & <b>" in text


def test_a_failed_run_is_a_failed_action(case, tmp_path):
    case.write("fail", "")
    case.experiment("case", "--no-report", check=False)
    action = read(cf.load_run("case/-1").export(tmp_path / "crate", format="ro-crate"))["#run"]
    assert action["actionStatus"] == "http://schema.org/FailedActionStatus"
    assert action["error"].startswith("ValueError: token=***")


def test_code_that_was_not_recorded_is_the_present_one_and_says_so(project, monkeypatch, tmp_path):
    project.write("experiments/case.py", EXPERIMENT)
    project.experiment("case", "--no-report")
    monkeypatch.chdir(project.root)
    entities = read(cf.load_run("case/-1").export(tmp_path / "crate", format="ro-crate"))
    assert "was not recorded" in entities["./"]["description"]
    (project.root / "experiments/case.py").unlink()
    with pytest.raises(StoreError, match="no code of case_1"):
        cf.load_run("case/-1").export(tmp_path / "again", format="ro-crate")
    assert not (tmp_path / "again").exists()


def test_a_folder_that_is_there_is_not_written_over(case, tmp_path):
    case.experiment("case", "--no-report")
    with pytest.raises(StoreError, match="is there already"):
        cf.load_run("case/-1").export(tmp_path, format="ro-crate")


# The contexts, as far as these crates use them: the validator would fetch them from the network.
CONTEXT = {
    "@vocab": "http://schema.org/",
    "File": "http://schema.org/MediaObject",
    "conformsTo": "http://purl.org/dc/terms/conformsTo",
    "ComputationalWorkflow": "https://bioschemas.org/ComputationalWorkflow",
    "FormalParameter": "https://bioschemas.org/FormalParameter",
    "input": "https://bioschemas.org/ComputationalWorkflow#input",
    "output": "https://bioschemas.org/ComputationalWorkflow#output",
}


@pytest.mark.filterwarnings("ignore")
def test_the_validator_of_the_profile_finds_nothing_wrong(case, tmp_path, monkeypatch):
    """Not among the extras, as it takes older versions of rich only; see docs/contributing.md."""
    validator = pytest.importorskip("rocrate_validator", reason="pip install --no-deps roc-validator …")
    from rdflib.plugins.shared.jsonld.context import Context
    from rocrate_validator import models, services

    monkeypatch.setattr(Context, "_fetch_context", lambda *_: {"@context": CONTEXT})
    case.experiment("case", "--no-report")
    crate = cf.load_run("case/-1").export(tmp_path / "crate", format="ro-crate")
    settings = services.ValidationSettings(
        rocrate_uri=str(crate),
        profile_identifier="workflow-run-crate-0.5",
        requirement_severity=models.Severity.REQUIRED,
    )
    result = services.validate(settings)
    assert validator is not None
    assert len(result.executed_checks) > 50
    # What it cannot look at without a network: whether the addresses of the contexts answer.
    wrong = [each for each in result.get_issues() if not each.check.identifier.startswith("ro-crate-1.1_3.")]
    assert [f"{each.check.identifier}: {each.message}" for each in wrong] == []
