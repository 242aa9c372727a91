import gc
import subprocess
import sys

import pytest

from curifactory.core import garbage


@pytest.fixture
def thresholds():
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def run_python(code):
    """Run code in a process of its own and return what it printed."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_a_process_of_somebody_else_is_left_as_it_is():
    before = gc.get_threshold(), gc.get_freeze_count()
    garbage.pass_over()
    assert (gc.get_threshold(), gc.get_freeze_count()) == before


def test_in_a_process_of_ours_what_is_there_is_passed_over_and_what_comes_is_not():
    code = (
        "import gc\n"
        "from curifactory.core import garbage\n"
        "garbage.own_process(); garbage.pass_over()\n"
        "class Told:\n"
        "    def __del__(self): print('collected')\n"
        "one = Told(); one.itself = one; del one\n"
        "print(gc.get_freeze_count() > 1000, gc.get_threshold()[0] > 700)\n"
        "gc.collect()\n"
        "print('end')\n"
    )
    assert run_python(code) == ["True", "True", "collected", "end"]


def test_what_is_young_grows_old_without_being_looked_through_where_it_is_much(thresholds):
    gc.set_threshold(700, 10, 10)
    gc.disable()
    try:
        kept = [[number] for number in range(2_000)]
        garbage.grow_old()
        assert gc.get_count()[0] < 700
        assert gc.get_freeze_count() == 0
        assert any(each is kept for each in gc.get_objects(generation=2))
    finally:
        gc.enable()


def test_what_is_little_stays_young(thresholds):
    gc.collect()
    kept = [[]]
    garbage.grow_old()
    assert any(each is kept for each in gc.get_objects(generation=0))


def test_what_somebody_has_frozen_stays_frozen(thresholds):
    code = (
        "import gc\n"
        "from curifactory.core import garbage\n"
        "gc.freeze(); gc.disable()\n"
        "kept = [[number] for number in range(2_000)]\n"
        "garbage.grow_old()\n"
        "print(gc.get_freeze_count() > 1000, gc.get_count()[0] > 1000)\n"
    )
    assert run_python(code) == ["True", "True"]


def test_a_collector_that_is_off_or_calmer_already_stays_so(thresholds):
    for threshold in (0, 100_000):
        gc.set_threshold(threshold, 10, 10)
        with garbage.calm():
            assert gc.get_threshold() == (threshold, 10, 10)
