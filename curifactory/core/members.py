"""Members of enumerations that are looked up like any attribute of a class, in every version of Python."""

from __future__ import annotations

from enum import Enum
from typing import TypeVar

AnyEnum = TypeVar("AnyEnum", bound=Enum)


def with_plain_members(kind: type[AnyEnum]) -> type[AnyEnum]:
    """Put the members of an enumeration into its class as they are; a decorator.

    Python 3.11 asks a function of its own for each member each time, which takes as long as all else that is asked of many a
    call; later versions do what this does.

    Examples
    --------
    >>> @with_plain_members
    ... class Color(Enum):
    ...     RED = 1
    >>> vars(Color)["RED"] is Color.RED is Color(1)
    True
    """
    for name, member in kind.__members__.items():
        # Past the class of the class, which lets nobody bind the name of a member anew.
        type.__setattr__(kind, name, member)
    return kind
