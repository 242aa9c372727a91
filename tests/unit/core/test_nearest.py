"""Names that a person may have meant."""

from __future__ import annotations

from curifactory.core.nearest import SHOWN, find_nearest, join_names, suggest


def test_the_nearest_name_comes_first() -> None:
    assert find_nearest("iriss", ["minis", "irises", "iris"]) == ["irises", "iris"]


def test_what_is_much_less_alike_than_the_best_is_left_out() -> None:
    assert find_nearest("cach_path", ["manager_cache_path", "cache_path"]) == ["cache_path"]


def test_a_beginning_is_like_the_name_that_it_begins_and_less_so_than_one_letter_is() -> None:
    assert find_nearest("acc", ["loss", "accuracy"]) == ["accuracy"]
    assert find_nearest("--overwrit", ["--overwrite", "--overwrite-stage"]) == ["--overwrite"]
    assert find_nearest("ac", ["accuracy"]) == []


def test_words_in_another_order_are_the_same_words() -> None:
    assert find_nearest("--full-store", ["--store-full", "--seed"]) == ["--store-full"]
    assert find_nearest("loss_val", ["val_loss", "loss"]) == ["val_loss"]


def test_letter_case_does_not_count() -> None:
    assert find_nearest("IRIS", ["iris"]) == ["iris"]


def test_what_is_far_away_is_not_suggested_but_everything_is_listed() -> None:
    assert suggest("quux", ["iris", "mnist"], nothing="") == "There are 'iris' and 'mnist'."


def test_where_there_is_nothing_that_is_said() -> None:
    assert suggest("iris", [], nothing="There is none.") == "There is none."


def test_a_long_list_is_cut_short() -> None:
    names = [f"name{number}" for number in range(40)]
    said = join_names(names, "and")
    assert said.endswith(f"and {40 - SHOWN + 1} more")
    assert said.count("'") == 2 * (SHOWN - 1)
