from curifactory.reporting.view.origins import gather_origins

DIFFERS = {
    "host": ["here", "there"],
    "python": ["3.11.7", "3.12.1"],
    "commit": ["a" * 40, "b" * 40],
    "package numpy": ["1.26.4", None],
    "package <b>": [None, "2"],
}


def test_what_was_otherwise_is_named_as_people_say_it():
    origin = gather_origins({"origins": [{"reference": "iris_3", "differs": DIFFERS}]})["iris_3"]
    assert [str(each) for each in origin.differences] == [
        "machine here → there",
        "Python 3.11.7 → 3.12.1",
        "commit aaaaaaaaaa → bbbbbbbbbb",
        "numpy 1.26.4 → none",
        "<b> none → 2",
    ]
    assert origin.short == "other machine, Python, commit and 2 more"
    assert origin.text.startswith("iris_3: machine here → there; ")


def test_runs_that_differ_in_nothing_or_are_gone_are_left_out():
    facts = {"origins": [{"reference": "iris_3", "differs": {}}, {"reference": "iris_2"}]}
    assert gather_origins(facts) == {}
    assert gather_origins({}) == {}
