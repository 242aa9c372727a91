"""Records: what they refuse before they belong to a run."""

from __future__ import annotations

import pytest

from curifactory.core.record import Record
from curifactory.errors import NoArtifactManagerError
from curifactory.parameters.sets import ExperimentParameters


@pytest.mark.parametrize(
    ("manager", "said"),
    [
        (None, "A record needs an ArtifactManager."),
        (
            ExperimentParameters(name="a"),
            "A record needs an ArtifactManager, and was given ExperimentParameters in its place.",
        ),
    ],
)
def test_a_record_without_a_manager_is_refused_and_told_how_it_is_made(manager: object, said: str) -> None:
    with pytest.raises(NoArtifactManagerError) as raised:
        Record(manager, ExperimentParameters(name="a"))
    assert str(raised.value) == f"{said} Write cf.Record(manager, params)."
