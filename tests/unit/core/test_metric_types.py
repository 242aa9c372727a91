import pytest

from curifactory.core.metric_types import normal_type


@pytest.mark.parametrize(
    ("words", "one"),
    [
        (("train", "training", "Train", " TRAINING "), "train"),
        (("val", "validate", "validation", "Val"), "val"),
        (("test", "testing", "eval", "evaluate", "evaluation", "Eval"), "test"),
    ],
)
def test_the_usual_words_mean_three_types(words, one):
    assert {normal_type(word) for word in words} == {one}


@pytest.mark.parametrize("word", ["", "holdout", "Holdout", "train/fold 1", "trained", "größe"])
def test_any_other_word_stays_as_it_is(word):
    assert normal_type(word) == word
