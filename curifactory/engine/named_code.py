"""The project's own classes and functions that a saved value needs: their code is a part of what the value is.

A pickle of a model has the same bytes after a method of its class was edited. Whoever calls that method must run again,
though nothing in the reader's code speaks of the class.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
from collections.abc import Collection, Iterable, Sequence
from types import FunctionType, ModuleType
from typing import Any

from curifactory.identity.fingerprint import Scope, class_fingerprint, code_digest
from curifactory.parameters.digests import digest_or_none

# What a manifest keeps of the classes and functions that a value needs to be what it is.
CODE_NAMES = "names"
# How many containers and objects in a value are looked into for classes, where its cacher does not say which it has.
_MOST_LOOKED_AT = 200
_PLAIN = frozenset((bool, int, float, complex, str, bytes, type(None)))


class NamedCode:
    """Names the project's code behind values, and gives its identity as it is now.

    Parameters
    ----------
    scope : Scope
        What is the project's own code.
    """

    __slots__ = ("_installed", "_scope", "seen")

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        #: Code of the project's own cachers; cleared when people's code has been executed, and may have changed it.
        self.seen: dict[type, str] = {}
        self._installed: set[type] = set()

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
            if type(value) in _PLAIN:
                return []
            named = [f"{cls.__module__}:{cls.__qualname__}" for cls in _classes_of(value)]
        return sorted({name for name in named if self._is_own(name)})

    def identity(self, names: Iterable[str]) -> str:
        """Return a digest of the code that names stand for now; empty if there are none."""
        parts = [f"{name}={self._code_of(name)}" for name in names]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest() if parts else ""

    def cacher_key(self, cacher: Any) -> str:
        """Return the identity of a cacher: its class, its arguments and, if it is the project's own, its code."""
        key: str = cacher.key()
        code = self._code_of_class(type(cacher))
        return key if code is None else hashlib.sha256(f"{key} {code}".encode()).hexdigest()

    def may_change(self, cls: type) -> bool:
        """Whether the code of a class is the project's own, so that it may be another one at the next look."""
        return self._code_of_class(cls) is not None

    def _code_of_class(self, cls: type) -> str | None:
        """Return the fingerprint of a class as it is now, None of one that is not the project's and so never changes."""
        if cls in self._installed:
            return None
        code = self.seen.get(cls) or class_fingerprint(cls, scope=self._scope)
        if code is None:
            self._installed.add(cls)
        else:
            self.seen[cls] = code
        return code

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
        code = code_digest(thing, scope=self._scope)
        if code is None and not isinstance(thing, (FunctionType, type, ModuleType)) and self._is_own(name):
            # Such as a partial of a function: what it is made of counts, or else all that its module has.
            code = digest_or_none(thing, scope=self._scope)
            code = code or code_digest(sys.modules[module_name], scope=self._scope)
        return code or "installed"


def _classes_of(value: Any) -> set[type]:
    """Return the classes of a value and of what is in it, as far as a quick look goes, with their bases."""
    classes = set(type(value).__mro__)
    waiting = [value]
    for looked_at, item in enumerate(waiting):
        if looked_at == _MOST_LOOKED_AT:
            break
        inner = _parts_of(item)
        kinds = set(map(type, inner))
        for cls in kinds:
            classes.update(cls.__mro__)
        if not kinds <= _PLAIN and len(waiting) < _MOST_LOOKED_AT:
            waiting += [each for each in inner if type(each) not in _PLAIN][:_MOST_LOOKED_AT]
    return {cls for cls in classes if cls.__module__ != "builtins"}


def _parts_of(value: Any) -> Collection[Any]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    if isinstance(value, (list, tuple, set, frozenset)):
        return value
    return list(vars(value).values()) if hasattr(value, "__dict__") and not isinstance(value, type) else ()
