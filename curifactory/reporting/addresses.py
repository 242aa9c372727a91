"""Where a page finds what it shows: addresses of a run's fragments and of other runs' reports."""

from __future__ import annotations

import base64
import os
from typing import Protocol
from urllib.parse import quote

from curifactory.errors import ReportError

LARGEST_INLINE_BYTES = 10 * 1024 * 1024


class Addresses(Protocol):
    """What the view asks for addresses."""

    def find_fragment(self, folder: str, file: str) -> str | None:
        """Give the address of a file of a fragment: None if it is not there, empty if it is too large for the page."""
        ...

    def find_script(self, folder: str, file: str) -> str | None:
        """Give the address of the script that holds what a file of a fragment says, or None where there are none."""
        ...

    def read_figure(self, folder: str, file: str) -> str | None:
        """Give what a file of a fragment says where it has to be a part of the page, else None."""
        ...

    def find_report(self, reference: str | None) -> str | None:
        """Give the address of another run's report, or None if there is none."""
        ...


class PageAddresses:
    """Addresses for a page in its own folder below ``reports/``, relative so that it can be copied.

    Parameters
    ----------
    fragments_folder : str
        Where the run keeps its fragments.
    reports_folder : str
        Where the reports of all runs lie.
    reference : str
        The run whose page it is.
    """

    def __init__(self, fragments_folder: str, reports_folder: str, reference: str) -> None:
        self._fragments = fragments_folder
        self._reports = reports_folder
        self._reference = reference
        self._found: dict[str, str | None] = {}
        self.used: dict[tuple[str, str], None] = {}
        self.scripts: dict[tuple[str, str], str] = {}

    def find_fragment(self, folder: str, file: str) -> str | None:
        """Give ``fragments/…`` and remember that the page needs the file beside it."""
        if not os.path.isfile(join_fragment(self._fragments, folder, file)):
            return None
        self.used[folder, file] = None
        return f"fragments/{quote(folder)}/{quote(file)}"

    def find_script(self, folder: str, file: str) -> str | None:
        """Give ``fragments/….js`` and remember that it has to be written: pages from disk cannot read other files."""
        if not os.path.isfile(join_fragment(self._fragments, folder, file)):
            return None
        address = f"fragments/{quote(folder)}/{quote(file)}.js"
        self.scripts[folder, file] = address
        return address

    def read_figure(self, folder: str, file: str) -> str | None:
        """Give None: what a figure says lies beside the page."""
        return None

    def find_report(self, reference: str | None) -> str | None:
        """Give the way to the other report's folder, if it has one now."""
        if not reference or reference == self._reference or ".." in reference.split("/"):
            return None
        if reference not in self._found:
            there = os.path.isfile(os.path.join(self._reports, reference, "index.html"))
            ups = "../" * (self._reference.count("/") + 1)
            self._found[reference] = f"{ups}{quote(reference)}/index.html" if there else None
        return self._found[reference]


class InlineAddresses:
    """Files become part of the page itself, for notebooks, where a page has no folder.

    Parameters
    ----------
    fragments_folder : str
        Where the run keeps its fragments.
    """

    def __init__(self, fragments_folder: str) -> None:
        self._fragments = fragments_folder

    def find_fragment(self, folder: str, file: str) -> str | None:
        """Give the file as a ``data:`` address; one that would make the notebook too large stays where it is."""
        path = join_fragment(self._fragments, folder, file)
        try:
            if os.path.getsize(path) > LARGEST_INLINE_BYTES:
                return ""
            with open(path, "rb") as stream:
                content = stream.read()
        except OSError:
            return None
        import mimetypes

        kind = mimetypes.guess_type(file)[0] or "application/octet-stream"
        return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"

    def find_script(self, folder: str, file: str) -> str | None:
        """Give None: beside a notebook there are no scripts."""
        return None

    def read_figure(self, folder: str, file: str) -> str | None:
        """Give the text of a figure, as it can stand within an element of the page; None if it is large or not there."""
        path = join_fragment(self._fragments, folder, file)
        try:
            if os.path.getsize(path) > LARGEST_INLINE_BYTES:
                return None
            with open(path, encoding="utf-8", errors="replace") as stream:
                return stream.read().replace("<", "\\u003c")
        except OSError:
            return None

    def find_report(self, reference: str | None) -> str | None:
        """Give None: nobody knows from where a notebook would have to link."""
        return None


def join_fragment(fragments_folder: str, folder: str, file: str) -> str:
    """Join the path of a fragment's file, for names that may come from somebody else's run folder.

    Raises
    ------
    ReportError
        If one of the names would lead out of the folder.

    Examples
    --------
    >>> join_fragment("fragments", "..", "passwords")
    Traceback (most recent call last):
    curifactory.errors.ReportError: The run names a fragment '../passwords' outside of its folder.
    """
    for name in (folder, file):
        if not name or name in {".", ".."} or any(letter in name for letter in "/\\\0:"):
            raise ReportError(f"The run names a fragment '{folder}/{file}' outside of its folder.")
    return os.path.join(fragments_folder, folder, file)
