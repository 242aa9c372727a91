"""The project's own classes and functions that a saved value needs: their code is a part of what the value is.

A pickle of a model has the same bytes after a method of its class was edited. Whoever calls that method must run again,
though nothing in the reader's code speaks of the class.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from curifactory.identity.fingerprint import Scope, class_fingerprint, code_digest

# What a manifest keeps of the classes and functions that a value needs to be what it is.
CODE_NAMES = "names"


class NamedCode:
    """Names the project's code behind values, and gives its identity as it is now.

    Parameters
    ----------
    scope : Scope
        What is the project's own code.
    """

    __slots__ = ("_scope", "_seen")

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._seen: dict[type, str | None] = {}

    def look_again(self) -> None:
        """Take the code of cachers for unknown: people's code has been executed, and may have changed it."""
        self._seen.clear()

    def names_of(self, value: Any, named: Sequence[str] | None) -> list[str]:
        """Return ``module:qualname`` of each class and function of the project that a value needs.

        Parameters
        ----------
        value : Any
            What was saved.
        named : sequence of str or None
            What the cacher has found in the value; without it the value's class, its bases, and the classes one level
            down are taken.
        """
        if named is None:
            named = [f"{cls.__module__}:{cls.__qualname__}" for cls in _classes_of(value)]
        return sorted({name for name in named if self._is_own(name)})

    def identity(self, names: Iterable[str]) -> str:
        """Return a digest of the code that names stand for now; empty if there are none."""
        parts = [f"{name}={self._code_of(name)}" for name in names]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest() if parts else ""

    def cacher_key(self, cacher: Any) -> str:
        """Return the identity of a cacher: its class, its arguments and, if it is the project's own, its code."""
        key: str = cacher.key()
        kind = type(cacher)
        if kind not in self._seen:
            self._seen[kind] = class_fingerprint(kind, scope=self._scope)
        code = self._seen[kind]
        return key if code is None else hashlib.sha256(f"{key} {code}".encode()).hexdigest()

    def _is_own(self, name: str) -> bool:
        module = name.partition(":")[0]
        if module in sys.stdlib_module_names:
            return False
        found = sys.modules.get(module)
        return self._scope.contains(found) if found is not None else module == "__main__"

    def _code_of(self, name: str) -> str:
        module_name, _, qualname = name.partition(":")
        try:
            thing: Any = importlib.import_module(module_name)
            for part in qualname.split("."):
                thing = getattr(thing, part)
        except (ImportError, AttributeError):
            return "absent"
        return code_digest(thing, scope=self._scope) or "installed"


def _classes_of(value: Any) -> set[type]:
    classes = set(type(value).__mro__)
    inner: Iterable[Any] = ()
    if isinstance(value, dict):
        inner = value.values()
    elif isinstance(value, (list, tuple, set, frozenset)):
        inner = value
    elif hasattr(value, "__dict__"):
        inner = vars(value).values()
    for cls in set(map(type, inner)):
        classes.update(cls.__mro__)
    return {cls for cls in classes if cls.__module__ != "builtins"}
