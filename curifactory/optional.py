"""The one place where optional packages are imported; a missing one names the extra to install."""

from __future__ import annotations

import importlib
from types import ModuleType

from curifactory.errors import ConfigurationError


def require(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Import an optional package when it is first needed.

    Parameters
    ----------
    module : str
        Dotted name of the module.
    extra : str
        The extra of this package that installs it.
    purpose : str
        What needs it, such as ``ParquetCacher``; begins the message.

    Returns
    -------
    module
        The imported module.

    Raises
    ------
    ConfigurationError
        If the package is not installed; the hint names the extra.

    Examples
    --------
    >>> require("json", extra="none", purpose="an example").__name__
    'json'
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != package:
            raise
        raise ConfigurationError(
            f"{purpose} needs the package '{package}', which is not installed.",
            hint=f"Install it with: pip install 'curifactory[{extra}]'",
        ) from error
