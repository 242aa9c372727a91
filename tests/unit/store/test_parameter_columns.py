from curifactory.store.parameter_columns import MOST_FIELDS, MOST_VALUES, condense_parameters, flatten


def condense(*shown):
    return condense_parameters([{"shown": tree} for tree in shown])


def test_what_all_sets_have_is_one_value_and_what_differs_comes_first():
    assert condense({"seed": 1, "n": 100}, {"seed": 1, "n": 200}) == {"n": ["100", "200"], "seed": "1"}
    assert list(condense({"seed": 1, "n": 100}, {"seed": 1, "n": 200})) == ["n", "seed"]


def test_nested_sets_are_told_by_their_path():
    assert condense({"model": {"depth": 3, "layers": [8, 8]}}) == {
        "model.depth": "3",
        "model.layers": "[8, 8]",
    }


def test_of_very_many_values_the_first_are_kept():
    found = condense(*({"n": number} for number in range(300)))
    assert found == {"n": [*map(str, range(MOST_VALUES)), "…"]}


def test_fields_that_differ_are_not_the_ones_that_are_left_out():
    found = condense(*({**{f"same_{each}": 0 for each in range(100)}, "n": number} for number in range(2)))
    assert len(found) == MOST_FIELDS
    assert found["n"] == ["0", "1"]


def test_long_values_are_cut_and_what_is_no_tree_has_no_leaves():
    assert len(condense({"x": "y" * 10_000})["x"]) == 60
    assert len(flatten({"x": "y" * 10_000})[0][1]) == 300
    assert flatten(None) == []
    assert condense_parameters([{}]) == {}
