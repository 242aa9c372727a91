"""Encoders for functions, methods, partials, classes and modules: by name, and by code where that is the project's."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from curifactory.identity.encoding import (
    Encoder,
    Refusal,
    Walk,
    encode,
    encode_items,
    encode_pairs,
    record,
    text,
)


def class_tag(cls: type, walk: Walk) -> bytes:
    """Encode a class: its module and qualified name, and its code where `walk` knows some."""
    return record(
        b"class",
        text(walk.module_name(cls.__module__)),
        text(cls.__qualname__),
        _code(cls, walk),
    )


def home_of(value: Any, name: str) -> str | None:
    """Find the module in which `value` itself is known under a (dotted) name; None if there is no such module.

    Examples
    --------
    >>> home_of(len, "len")
    'builtins'
    """
    for module in (getattr(value, "__module__", None), type(value).__module__):
        if isinstance(module, str) and resolves(value, module, name):
            return module
    homes = [module for module in list(sys.modules) if resolves(value, module, name)]
    return min(homes, key=lambda module: (module.count("."), module)) if homes else None


def resolves(value: Any, module: str, name: str) -> bool:
    """Whether a module has `value` itself under a (dotted) name.

    Examples
    --------
    >>> resolves(len, "builtins", "len"), resolves(len, "builtins", "max")
    (True, False)
    """
    found: Any = sys.modules.get(module)
    if found is None:
        return False
    for part in name.split("."):
        # Only what is there already: a lazy module must not be made to import something.
        found = getattr(found, "__dict__", {}).get(part)
        if found is None:
            return False
    return found is value


def _code(thing: Any, walk: Walk) -> bytes:
    code = walk.code_of(thing)
    return b"N" if code is None else text(code)


def _function(value: Any, walk: Walk) -> bytes:
    module = text(walk.module_name(str(value.__module__)))
    return record(b"function", module, text(value.__qualname__), _code(value, walk))


def _builtin(value: Any, walk: Walk) -> bytes:
    owner = value.__self__
    if owner is not None and not isinstance(owner, ModuleType):
        return record(b"bound", text(value.__name__), encode(owner, walk))
    return record(b"function", text(str(value.__module__)), text(value.__qualname__), _code(value, walk))


def _descriptor(value: Any, walk: Walk) -> bytes:
    return record(b"descriptor", class_tag(value.__objclass__, walk), text(value.__name__))


def _bound_wrapper(value: Any, walk: Walk) -> bytes:
    return record(b"bound", text(value.__name__), encode(value.__self__, walk))


def _method(value: Any, walk: Walk) -> bytes:
    try:
        owner = encode(value.__self__, walk)
    except Refusal as refusal:
        raise refusal.at(".__self__") from None
    return record(b"method", owner, encode(value.__func__, walk))


def _partial(value: Any, walk: Walk) -> bytes:
    walk.enter(value)
    step = ".func"
    try:
        function = encode(value.func, walk)
        step = ".args"
        arguments = encode_items(value.args, walk)
        step = ".keywords"
        keywords = sorted(encode_pairs(value.keywords, walk))
        step = ""
        rest = encode(value.__dict__, walk)
    except Refusal as refusal:
        raise refusal.at(step) from None
    parts = record(b"args", *arguments), record(b"keywords", *keywords), rest
    return walk.leave(value, record(b"partial", class_tag(type(value), walk), function, *parts))


def _lru_cache(value: Any, walk: Walk) -> bytes:
    return record(b"lru_cache", encode(value.cache_parameters(), walk), encode(value.__wrapped__, walk))


def _wrapped(kind: bytes, *names: str) -> Encoder:
    def encode_wrapped(value: Any, walk: Walk) -> bytes:
        return record(kind, *[encode(getattr(value, name), walk) for name in names])

    return encode_wrapped


def _module(value: ModuleType, walk: Walk) -> bytes:
    return record(b"module", text(walk.module_name(value.__name__)), _code(value, walk))


def encode_class(value: type, walk: Walk) -> bytes:
    """Encode a class that is itself the value."""
    return class_tag(value, walk)


BY_NAME: dict[str, Encoder] = {
    "builtins.function": _function,
    "builtins.builtin_function_or_method": _builtin,
    "builtins.method": _method,
    "builtins.method_descriptor": _descriptor,
    "builtins.wrapper_descriptor": _descriptor,
    "builtins.classmethod_descriptor": _descriptor,
    "builtins.getset_descriptor": _descriptor,
    "builtins.member_descriptor": _descriptor,
    "builtins.method-wrapper": _bound_wrapper,
    "builtins.module": _module,
    "builtins.staticmethod": _wrapped(b"staticmethod", "__func__"),
    "builtins.classmethod": _wrapped(b"classmethod", "__func__"),
    "builtins.property": _wrapped(b"property", "fget", "fset", "fdel"),
    "functools.partial": _partial,
    "functools._lru_cache_wrapper": _lru_cache,
}
