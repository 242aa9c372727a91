"""Which of the calls that are ready begins first: what is going to take longest, as far as earlier runs tell."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from curifactory.core.outcomes import Verdict
from curifactory.core.reason import ReasonKind
from curifactory.engine.previous import find_previous

if TYPE_CHECKING:
    from curifactory.engine.graph import Call

# Below this, and within this ratio, call order is worth more than a guess.
_SHORT_S = 0.1
_RATIO = 1.5


def rank_calls(calls: Sequence[Call]) -> dict[int, int]:
    """Return the rank of each call, the lowest of which begins first; those of one rank do in call order.

    Parameters
    ----------
    calls : sequence of Call
        In call order, decided already; their engine knows how long they took when they were executed last.
    """
    expected = {call.index: _expect(call) for call in calls}
    if not any(expected.values()):
        return {}
    return rank(expected, {call.index: [producer.index for producer in call.producers] for call in calls})


def rank(expected: Mapping[int, float], producers: Mapping[int, Sequence[int]]) -> dict[int, int]:
    """Return ranks from expected times.

    A chain goes on before another one is begun that takes as long: so values are soon read and let go.

    Parameters
    ----------
    expected : mapping of int to float
        For each call, in call order, how many seconds it probably takes; 0 if nothing is known.
    producers : mapping of int to sequence of int
        What each call reads from.

    Examples
    --------
    >>> rank({0: 1.0, 1: 9.0, 2: 1.1}, {0: (), 1: (), 2: ()})
    {0: -6, 1: -11, 2: -6}
    """
    # With all that waits for it.
    times = dict(expected)
    for index in reversed(times):
        for producer in producers[index]:
            if producer in times:
                times[producer] = max(times[producer], expected[producer] + times[index])
    ranks: dict[int, int] = {}
    for index, time_s in times.items():
        own = 0 if time_s <= _SHORT_S else -round(math.log(time_s / _SHORT_S, _RATIO))
        ranks[index] = min((ranks[each] for each in producers[index] if each in ranks), default=own)
    return ranks


def _expect(call: Call) -> float:
    if call.verdict is Verdict.REUSE or call.reason is None or call.reason.kind is ReasonKind.NEVER_RUN:
        return 0.0
    previous = find_previous(call)
    return 0.0 if previous is None else previous.trace.duration_s
