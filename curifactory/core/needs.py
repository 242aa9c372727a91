"""What a stage needs beside its inputs: cores, memory, devices, time, another try."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict

from curifactory.errors import DefinitionError

_UNITS = {
    "": 1,
    "k": 10**3,
    "m": 10**6,
    "g": 10**9,
    "t": 10**12,
    "ki": 2**10,
    "mi": 2**20,
    "gi": 2**30,
    "ti": 2**40,
}


class StageNeeds(TypedDict, total=False):
    """What ``@stage`` and ``@aggregate`` take of needs. They bear on when and where a call is executed, never on its result.

    Attributes
    ----------
    threads : int
        Cores that it keeps busy, such as ``threads=4``; calls run beside each other only as far as there is enough.
    memory : str or int
        Memory that it uses at most, such as ``memory="8GB"``.
    resources : dict of str to float
        What else it needs for itself, such as ``resources={"gpu": 1}``.
    retries : int
        How often a call is tried again after it has failed.
    timeout_s : float
        Seconds after which an execution is stopped and has failed.
    """

    threads: int
    memory: str | int
    resources: Mapping[str, float]
    retries: int
    timeout_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a stage says that it needs. It bears on when and where a call is executed, never on what it gives.

    Parameters
    ----------
    threads : int
        Cores that it keeps busy.
    memory_bytes : int
        Memory that it uses at most; 0 if it does not say.
    resources : mapping of str to float
        What else it needs for itself while it is executed, such as ``{"gpu": 1}``.
    retries : int
        How often it is tried again after it has failed.
    timeout_s : float, optional
        After which an execution is stopped and counts as failed.
    """

    threads: int = 1
    memory_bytes: int = 0
    resources: Mapping[str, float] = field(default_factory=dict)
    retries: int = 0
    timeout_s: float | None = None

    @classmethod
    def of(
        cls,
        stage: str,
        threads: Any = 1,
        memory: Any = None,
        resources: Any = None,
        retries: Any = 0,
        timeout_s: Any = None,
        **unknown: Any,
    ) -> Needs:
        """Return the needs that stand in a decorator.

        Raises
        ------
        DefinitionError
            If one of them is none.

        Examples
        --------
        >>> Needs.of("train", memory="8GB", resources={"gpu": 1}).memory_bytes
        8000000000
        """
        if unknown:
            raise DefinitionError(
                f"The decorator of '{stage}' has {', '.join(unknown)}=…, which it does not take.",
                hint=f"What a stage can need is called {', '.join(StageNeeds.__annotations__)}.",
            )
        if not _is_count(threads, least=1):
            raise _wrong(stage, "threads", threads, "a number of cores, such as threads=4")
        if not _is_count(retries, least=0):
            raise _wrong(stage, "retries", retries, "how often to try again, such as retries=2")
        if timeout_s is not None and not (_is_number(timeout_s) and timeout_s > 0):
            raise _wrong(stage, "timeout_s", timeout_s, "seconds, such as timeout_s=3600")
        amounts = dict(resources) if isinstance(resources, Mapping) else {} if resources is None else None
        if amounts is None or not all(
            isinstance(name, str) and _is_number(amount) and amount >= 0 for name, amount in amounts.items()
        ):
            raise _wrong(stage, "resources", resources, 'names and amounts, such as resources={"gpu": 1}')
        memory_bytes = 0 if memory is None else read_bytes(memory)
        if memory_bytes is None:
            raise _wrong(stage, "memory", memory, 'an amount, such as memory="8GB" or memory="512MiB"')
        return cls(
            threads=threads,
            memory_bytes=memory_bytes,
            resources=amounts,
            retries=retries,
            timeout_s=timeout_s,
        )


NOTHING = Needs()


def read_bytes(amount: Any) -> int | None:
    """Return an amount of memory in bytes; None if it is none.

    Examples
    --------
    >>> read_bytes("1.5 GiB"), read_bytes(100), read_bytes("much")
    (1610612736, 100, None)
    """
    if _is_count(amount, least=0):
        return int(amount)
    match = (
        re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]i?)?b?\s*", amount, re.IGNORECASE)
        if isinstance(amount, str)
        else None
    )
    return None if match is None else int(float(match[1]) * _UNITS[(match[2] or "").lower()])


def _is_count(value: Any, *, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _wrong(stage: str, name: str, value: Any, wanted: str) -> DefinitionError:
    return DefinitionError(f"Stage '{stage}' has {name}={value!r}.", hint=f"It takes {wanted}.")
