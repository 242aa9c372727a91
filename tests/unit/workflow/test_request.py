"""A request is written down and read back so that the same is asked again."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from curifactory.errors import ConfigurationError
from curifactory.workflow.request import RunRequest

PASSING = {"dry", "notebook", "docker", "resumes", "notes", "command"}


def other(field: dataclasses.Field) -> object:
    """Give a value that is not the field's default."""
    kind = str(field.type)
    if kind == "bool":
        return not field.default
    if kind.startswith("tuple"):
        return ("a", "b=1,2")
    if "Path" in kind:
        return Path("/elsewhere/cache")
    if "int" in kind or "float" in kind:
        return 7
    return True if "bool" in kind else "words"


@pytest.mark.parametrize("field", dataclasses.fields(RunRequest), ids=lambda field: field.name)
def test_every_field_comes_back_as_it_was(field):
    request = dataclasses.replace(RunRequest(experiment="iris"), **{field.name: other(field)})
    back = RunRequest.from_json(json.loads(json.dumps(request.to_json())))
    if field.name in PASSING:
        assert back == RunRequest(experiment="iris"), "it has no bearing on results"
    else:
        assert back == request


def test_what_this_version_does_not_know_is_an_error():
    with pytest.raises(ConfigurationError, match=r"from_tomorrow.*does not know"):
        RunRequest.from_json({"experiment": "iris", "from_tomorrow": True})
