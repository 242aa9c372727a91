"""Who holds what a call was given: things that are kept, threads that go on, and not who has only looked."""

from __future__ import annotations

import sys
import threading
import time
import traceback
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from curifactory.parameters.holders import are_held


class Given:
    n = 1


seen: list[Any] = []


@pytest.fixture(autouse=True)
def _forget() -> Any:
    seen.clear()
    yield
    seen.clear()


def be_seen() -> int:
    seen.append(sys._getframe())
    return 1


def in_a_helper(given: Given) -> int:
    return be_seen() * given.n


def in_a_list(given: Given) -> int:
    several = [{"deep": (given,)}]
    return be_seen() * len(several)


def in_a_generator(given: Given) -> int:
    return sum(in_a_helper(each) for each in [given])


def in_a_closure(given: Given) -> int:
    return sum(given.n * k for k in (be_seen() * given.n for _ in range(2)))


def in_a_comprehension(given: Given) -> int:
    return sum([be_seen() * given.n for _ in range(2)])


def in_a_method(given: Given) -> int:
    class Uses:
        def __init__(self, used: Given) -> None:
            self.used = used

        def use(self) -> int:
            return be_seen() * self.used.n

    return Uses(given).use()


def after_a_fault(given: Given) -> int:
    try:
        raise ValueError(given)
    except ValueError:
        return be_seen()


def give(use: Callable[[Given], Any]) -> weakref.ref[Given]:
    given = Given()
    use(given)
    return weakref.ref(given)


@pytest.mark.parametrize(
    "use",
    [
        in_a_helper,
        in_a_list,
        in_a_generator,
        in_a_closure,
        in_a_comprehension,
        in_a_method,
        after_a_fault,
    ],
)
def test_who_keeps_frames_of_functions_that_have_returned_holds_nothing(use: Any) -> None:
    here = give(use)
    assert here() is not None
    assert not are_held([here])
    assert seen[0].f_code is be_seen.__code__


def test_a_function_that_is_kept_keeps_its_variables() -> None:
    def use(given: Given) -> None:
        def later() -> int:
            return given.n

        be_seen()
        later()
        seen.append(later)

    here = give(use)
    assert are_held([here])
    assert seen[-1]() == 1


def test_a_function_that_has_been_seen_and_is_kept_keeps_its_variables() -> None:
    def use(given: Given) -> None:
        def later() -> int:
            be_seen()
            return given.n

        later()
        seen.append(later)

    here = give(use)
    assert are_held([here])
    assert seen[-1]() == 1


def test_a_variable_that_a_kept_function_shares_with_one_that_is_gone_stays() -> None:
    def use(given: Given) -> None:
        def now() -> int:
            return be_seen() * given.n

        now()
        seen.append(lambda: given.n)

    here = give(use)
    assert are_held([here])
    assert seen[-1]() == 1


def test_a_generator_that_waits_is_a_holder_and_goes_on() -> None:
    def count(given: Given) -> Any:
        be_seen()
        yield given.n
        yield given.n + 1

    def use(given: Given) -> None:
        numbers = count(given)
        next(numbers)
        seen.append(numbers)

    here = give(use)
    assert are_held([here])
    assert list(seen[-1]) == [2]


def test_what_an_exception_shows_stays_and_holds() -> None:
    def use(given: Given) -> None:
        try:
            raise ValueError
        except ValueError as error:
            seen.append(error)

    here = give(use)
    assert are_held([here])
    shown = traceback.StackSummary.extract(traceback.walk_tb(seen[0].__traceback__), capture_locals=True)
    assert "Given" in (shown[0].locals or {})["given"]


def test_a_frame_that_goes_on_keeps_what_it_has() -> None:
    given = Given()
    be_seen()
    assert are_held([weakref.ref(given)])
    assert given.n == 1
    assert seen[0].f_back is sys._getframe()


def test_a_thread_that_lets_go_a_moment_later_holds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    has_begun, may_end = threading.Event(), threading.Event()
    threads = []

    def work(given: Given) -> None:
        has_begun.set()
        may_end.wait()

    def use(given: Given) -> None:
        threads.append(threading.Thread(target=work, args=(given,)))
        threads[0].start()

    def pause(_: float) -> None:
        may_end.set()
        threads[0].join()

    here = give(use)
    has_begun.wait()
    monkeypatch.setattr("curifactory.parameters.holders.time.sleep", pause)
    assert not are_held([here], took_s=1.0)


def test_a_thread_that_goes_on_is_a_holder() -> None:
    has_begun, may_end = threading.Event(), threading.Event()

    def work(given: Given) -> None:
        has_begun.set()
        may_end.wait()

    with ThreadPoolExecutor(1) as pool:
        here = give(lambda given: pool.submit(work, given))
        has_begun.wait()
        try:
            assert are_held([here], took_s=1.0)
        finally:
            may_end.set()


def test_a_thread_that_keeps_looking_at_all_frames_holds_nothing() -> None:
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.wait(0.001):
            seen.append(sys._current_frames())

    def use(given: Given) -> int:
        before = len(seen)
        while len(seen) < before + 3:
            time.sleep(0.001)
        return given.n

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        here = give(use)
        assert not are_held([here])
    finally:
        is_over.set()
        watcher.join()
