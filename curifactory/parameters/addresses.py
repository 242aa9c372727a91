"""Where classes and functions live: ``module:Qualname`` texts, and back again."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from curifactory.core.nearest import find_nearest, join_names
from curifactory.errors import ConfigurationError


def address_of(thing: Any) -> str | None:
    """Return the address under which a class or function is found again.

    Parameters
    ----------
    thing : class or function
        Anything with a ``__module__`` and a ``__qualname__``.

    Returns
    -------
    str or None
        ``module:Qualname``; None if another thing, or none, lives there (lambdas, what is made within functions).

    Examples
    --------
    >>> address_of(dict.fromkeys), address_of(len), address_of(lambda: 0)
    (None, 'builtins:len', None)
    """
    module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(name, str) or "<" in name:
        return None
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return f"{module}:{name}" if found is thing else None


def find_address(address: str, *, lived_there: bool = True) -> Any:
    """Import what lives at an address. Nothing is called or evaluated.

    Parameters
    ----------
    address : str
        ``module:Qualname``.
    lived_there : bool
        Whether something is known to have lived there, as in a past run; otherwise somebody has written the address.

    Returns
    -------
    Any
        The class or function.

    Raises
    ------
    ConfigurationError
        If the module cannot be imported, or has no such name any more.

    Examples
    --------
    >>> find_address("collections:OrderedDict.fromkeys").__name__
    'fromkeys'
    >>> find_address("collections:Tidy")
    Traceback (most recent call last):
    curifactory.errors.ConfigurationError: 'Tidy' is no longer in the module 'collections'. Put it back under this name, or check out the commit that had it.
    """
    module_name, _, name = address.partition(":")
    hint = "Put it back under this name, or check out the commit that had it." if lived_there else None
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{module_name}.".startswith(f"{error.name}."):
            raise ConfigurationError(
                f"There is no module '{module_name}' (for '{name}'){' any more' if lived_there else ''}.",
                hint=hint,
            ) from error
        raise ConfigurationError(
            f"The module '{module_name}' (for '{name}') cannot be imported: it needs '{error.name}', which is not there.",
            hint=f"Install it, for example with: pip install {error.name}",
        ) from error
    except Exception as error:
        raise ConfigurationError(
            f"The module '{module_name}' (for '{name}') cannot be imported: {type(error).__name__}: {error}",
            hint="Mend the module first.",
        ) from error
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            near = [] if lived_there else find_nearest(part, dir(found))
            raise ConfigurationError(
                f"'{name}' is {'no longer' if lived_there else 'not'} in the module '{module_name}'.",
                hint=f"Did you mean {join_names(near, 'or')}?" if near else hint,
            ) from None
    return found
