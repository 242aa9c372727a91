"""Reportables become fragments; one that fails becomes a visible error in its place."""

from __future__ import annotations

import contextlib
import json
import os
import traceback
from typing import Any

from curifactory.caching.names import safe_name
from curifactory.core.secrets import mask_text
from curifactory.core.trace import Fragment
from curifactory.errors import DefinitionError, ReportError, say

ERROR_KIND = "error"


def render(reportable: Any, folder: str, name: str) -> Fragment:
    """Render a reportable into files and data.

    Parameters
    ----------
    reportable : Reportable
        Anything with ``to_fragment(folder=…, name=…)``.
    folder : str
        An existing folder for its files.
    name : str
        What the names of its files begin with, see :class:`FragmentNames`: ``<name>.<extension>``, or
        ``<name>~….<extension>`` for several.

    Returns
    -------
    Fragment
        What the report is drawn from; of kind ``error`` if it could not be rendered.

    Raises
    ------
    DefinitionError
        If it is no reportable.
    """
    to_fragment = getattr(reportable, "to_fragment", None)
    if not callable(to_fragment) or isinstance(reportable, type):
        given = reportable.__name__ if isinstance(reportable, type) else type(reportable).__name__
        raise DefinitionError(
            f"record.report got {given}, which is no reportable.",
            hint="Wrap it, for example in curifactory.reporting.DFReporter or FigureReporter.",
        )
    try:
        fragment = to_fragment(folder=folder, name=name)
        _check(fragment, reportable, folder)
    except Exception as error:  # noqa: BLE001 - a report must not cost a result, whatever fails while it is drawn
        _remove_files(folder, name)
        return error_fragment(reportable, error, name)
    checked: Fragment = fragment
    return checked


class FragmentNames:
    """Gives out the names with which the files of fragments begin: safe, readable, none twice.

    Examples
    --------
    >>> names = FragmentNames()
    >>> names.choose("loss"), names.choose("Loss"), names.choose("../loss")
    ('loss', 'Loss_2', 'loss=83c86c4374')
    """

    __slots__ = ("_next", "_taken")

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._next: dict[str, int] = {}

    def choose(self, name: Any) -> str:
        """Return a name like the given one that no other has, on file systems that ignore case either."""
        plain = safe_name(str(name))
        chosen, number = plain, self._next.get(plain.lower(), 2)
        while chosen.lower() in self._taken:
            chosen = f"{plain}_{number}"
            number += 1
        # A thousand of one name must not be counted up from the first each time.
        self._next[plain.lower()] = number
        self._taken.add(chosen.lower())
        return chosen


def error_fragment(reportable: Any, exception: BaseException, name: str) -> Fragment:
    """Return what stands in the report in place of a reportable that could not be drawn.

    Parameters
    ----------
    reportable : Reportable
        The thing itself.
    exception : BaseException
        Why it could not be drawn.
    name : str
        Its unique name within the call.

    Returns
    -------
    Fragment
        Of kind ``error``, with the message and the traceback as text, secrets masked.

    Examples
    --------
    >>> fragment = error_fragment(object(), ValueError("no projection"), "map")
    >>> fragment.kind, fragment.data["message"]
    ('error', 'ValueError: no projection')
    """

    def given(attribute: str) -> str | None:
        value = getattr(reportable, attribute, None)
        return value if isinstance(value, str) and value else None

    data = {
        "reportable": type(reportable).__name__,
        "message": mask_text(say(exception)),
        "traceback": mask_text("".join(traceback.format_exception(exception))),
    }
    return Fragment(given("name") or name, ERROR_KIND, data, (), given("group"), given("caption"))


def _check(fragment: Any, reportable: Any, folder: str) -> None:
    """Refuse what could not be written, linked or shown later, as long as it is known whose it is."""
    owner = f"{type(reportable).__name__}.to_fragment()"
    if not isinstance(fragment, Fragment):
        raise ReportError(f"{owner} returned {type(fragment).__name__}, not a Fragment.")
    for what, value in (("name", fragment.name), ("kind", fragment.kind)):
        if not isinstance(value, str) or not value:
            raise ReportError(f"{owner} returned a fragment whose {what} is {value!r}.")
    for what, given in (("group", fragment.group), ("caption", fragment.caption)):
        if not isinstance(given, str | None):
            raise ReportError(f"{owner} returned a fragment whose {what} is {given!r}, which is no text.")
    try:
        json.dumps(fragment.data)
    except (TypeError, ValueError) as error:
        raise ReportError(
            f"{owner} returned data that are no JSON values: {error}.",
            hint="A fragment holds dictionaries, lists, text, numbers, truth values and None.",
        ) from error
    for file in fragment.files:
        if os.path.basename(file) != file or not os.path.isfile(os.path.join(folder, file)):
            raise ReportError(f"{owner} names the file {file!r}, which does not lie in its folder.")


def _remove_files(folder: str, name: str) -> None:
    """Remove what was written before the failure: nobody would show it, and every reuse would link it."""
    for file in os.listdir(folder):
        if os.path.splitext(file)[0] == name or file.startswith(f"{name}~"):
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(folder, file))
