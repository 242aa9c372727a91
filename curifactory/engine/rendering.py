"""Reportables become fragments; one that fails becomes a visible error in its place."""

from __future__ import annotations

from typing import Any

from curifactory.core.trace import Fragment
from curifactory.errors import DefinitionError


def render(reportable: Any, folder: str, name: str) -> Fragment:
    """Render a reportable into files and data.

    Parameters
    ----------
    reportable : Reportable
        Anything with ``to_fragment(folder=…, name=…)``.
    folder : str
        An existing folder for its files.
    name : str
        Name of the fragment, unique in its call.

    Raises
    ------
    DefinitionError
        If it is no reportable.
    """
    to_fragment = getattr(reportable, "to_fragment", None)
    if not callable(to_fragment):
        raise DefinitionError(
            f"record.report got {type(reportable).__name__}, which is no reportable.",
            hint="Wrap it, for example in curifactory.reporting.DFReporter or FigureReporter.",
        )
    try:
        fragment: Fragment = to_fragment(folder=folder, name=name)
    except Exception as error:  # noqa: BLE001 - a report must not cost a result, whatever fails while it is drawn
        text = f"{type(reportable).__name__} could not be rendered: {type(error).__name__}: {error}"
        return Fragment(name, "error", {"text": text}, (), getattr(reportable, "group", None), None)
    return fragment
