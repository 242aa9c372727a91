from curifactory.engine.order import rank


def in_order(expected, producers=None):
    ranks = rank(expected, producers or dict.fromkeys(expected, ()))
    return sorted(expected, key=lambda index: (ranks[index], index))


def test_what_takes_longest_begins_first():
    assert in_order(dict(enumerate([4.0, 1.0, 3.0, 2.0, 8.0]))) == [4, 0, 2, 3, 1]


def test_what_takes_about_as_long_stays_in_call_order():
    assert in_order(dict(enumerate([1.0, 1.1, 0.95, 1.05]))) == [0, 1, 2, 3]
    assert in_order(dict(enumerate([0.001, 0.09, 0.0, 0.02]))) == [0, 1, 2, 3]


def test_what_waits_for_a_call_counts_for_it():
    # 0 → 1 is long in its second call only.
    assert in_order({0: 0.5, 1: 10.0, 2: 3.0}, {0: (), 1: (0,), 2: ()}) == [0, 1, 2]


def test_a_chain_goes_on_before_another_one_begins_that_takes_as_long():
    chains = {0: (), 1: (0,), 2: (), 3: (2,)}
    assert in_order(dict.fromkeys(chains, 5.0), chains) == [0, 1, 2, 3]


def test_what_is_settled_already_counts_for_nothing():
    assert in_order({5: 1.0, 6: 9.0}, {5: (1, 2), 6: (3,)}) == [6, 5]
