"""Parameter sets by name and by position."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curifactory.errors import ConfigurationError, DiscoveryError
from curifactory.parameters.sets import ExperimentParameters
from curifactory.project.selection import SelectedSet, parse_positions, select


def group(file: str, names: str) -> list[SelectedSet]:
    return [SelectedSet(ExperimentParameters(name=name), file) for name in names]


def test_names_of_a_sweep_are_to_be_written_as_changes() -> None:
    with pytest.raises(DiscoveryError, match="names pick sets before they are multiplied") as caught:
        select([group("params/one.py", "abc")], names=["a,n=50,optimizer.lr=0.1"])
    assert "n=50 optimizer.lr=0.1" in str(caught.value.hint)


GROUPS = [group("params/one.py", "abc"), group("params/two.py", "de")]


def names_of(**conditions: list[str]) -> str:
    return "".join(each.params.name for each in select(GROUPS, **conditions))


@pytest.mark.parametrize(
    ("conditions", "kept"),
    [
        ({}, "abcde"),
        ({"names": ["e", "a", "a"]}, "ae"),
        ({"indices": ["0"]}, "ad"),
        ({"indices": ["0-2"]}, "abde"),
        ({"indices": ["1", "0"]}, "abde"),
        ({"global_indices": ["2-4"]}, "cd"),
        ({"global_indices": ["4", "0"]}, "ae"),
        ({"indices": ["1"], "global_indices": ["0-3"]}, "b"),
        ({"names": ["b", "c"], "indices": ["1"]}, "b"),
        ({"indices": [" 1 "]}, "be"),
    ],
)
def test_sets_that_fit_all_conditions_are_kept_in_their_order(
    conditions: dict[str, list[str]], kept: str
) -> None:
    assert names_of(**conditions) == kept


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        ({"names": ["f"]}, "No parameter set named 'f'. There are 'a', 'b', 'c', 'd' and 'e'."),
        ({"names": ["f", "a", "g"]}, "No parameter sets named 'f' or 'g'."),
        (
            {"indices": ["2"]},
            "--indices 2 lies outside: params/two.py has 2 parameter sets. Positions go from 0 to 1.",
        ),
        ({"indices": ["0-4"]}, "params/one.py has 3 parameter sets. Positions go from 0 to 2."),
        ({"global_indices": ["5"]}, "all files together has 5 parameter sets. Positions go from 0 to 4."),
        ({"names": ["a"], "indices": ["1"]}, "No parameter set is left"),
    ],
)
def test_what_does_not_exist_is_told_with_what_does(conditions: dict[str, list[str]], said: str) -> None:
    with pytest.raises(DiscoveryError) as raised:
        names_of(**conditions)
    assert said in str(raised.value)


def test_a_file_with_one_set_has_one_position() -> None:
    with pytest.raises(DiscoveryError, match=r"has 1 parameter set\. The only position is 0\.$"):
        parse_positions(["1"], 1, where="params/one.py", option="--indices")


@pytest.mark.parametrize("word", ["", "-1", "a", "1-", "1:3", "1-2-3", "0x1", "1.0", "²"])
def test_what_is_no_position_is_refused(word: str) -> None:
    with pytest.raises(ConfigurationError, match="is no position"):
        parse_positions([word], 9, where="params/one.py", option="--indices")


@pytest.mark.parametrize("word", ["2-2", "3-2"])
def test_an_empty_range_is_refused(word: str) -> None:
    with pytest.raises(ConfigurationError, match="the second number is excluded"):
        parse_positions([word], 9, where="params/one.py", option="--indices")


@given(st.data())
def test_a_range_is_what_python_s_is(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 50))
    first = data.draw(st.integers(0, count - 1))
    end = data.draw(st.integers(first + 1, count))
    assert parse_positions([f"{first}-{end}"], count, where="", option="") == set(range(first, end))
