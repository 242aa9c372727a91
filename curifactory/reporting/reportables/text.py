"""``TextReporter`` and ``MarkdownReporter``: text as it is, code in its colours, and text with light markup."""

from __future__ import annotations

import os

from curifactory.core.secrets import mask_text
from curifactory.core.trace import Fragment
from curifactory.errors import ReportError
from curifactory.reporting.reportables.reportable import Reportable

SHOWN_CHARACTERS = 100_000


class TextReporter(Reportable):
    """Show text or code, with its spaces and line ends.

    Parameters
    ----------
    text : str or path
        The text itself, or a :class:`~pathlib.Path` of a file that holds it.
    language : str, optional
        ``python``, ``sql``, ``yaml`` or any other that Pygments knows, for the colours. Of a file, its name tells.
    name, group, caption : str, optional
        See :class:`~curifactory.reporting.Reportable`.

    Examples
    --------
    >>> TextReporter("SELECT 1", language="sql").to_fragment(folder=".", name="query").data
    {'text': 'SELECT 1', 'cut': False, 'language': 'sql'}
    """

    def __init__(
        self,
        text: str | os.PathLike[str],
        language: str | None = None,
        name: str | None = None,
        group: str | None = None,
        caption: str | None = None,
    ) -> None:
        super().__init__(name, group, caption)
        self.text = text
        self.language = language

    def to_fragment(self, folder: str, name: str) -> Fragment:
        """Become text; a long one is cut and lies whole in a file beside it.

        Raises
        ------
        ReportError
            If the file cannot be read, or it is neither text nor a path.
        """
        text, file_name = read_text(self.text, type(self).__name__)
        data = {"text": text[:SHOWN_CHARACTERS], "cut": len(text) > SHOWN_CHARACTERS}
        language = self.language or (file_name and os.path.splitext(file_name)[1].lstrip("."))
        if language:
            data["language"] = language
        return self._fragment(name, "text", data, write_whole(text, folder, f"{name}.txt"))


class MarkdownReporter(Reportable):
    """Show text in Markdown: headings, lists, emphasis, tables, links and code.

    HTML in it is shown as text, and does nothing. An image becomes a link: a page never asks the network for
    anything, and a picture of one's own is shown by :class:`~curifactory.reporting.ImageReporter`.

    Parameters
    ----------
    text : str or path
        The text itself, or a :class:`~pathlib.Path` of a file that holds it.
    name, group, caption : str, optional
        See :class:`~curifactory.reporting.Reportable`.

    Examples
    --------
    >>> MarkdownReporter("The forest is *better*.").to_fragment(folder=".", name="0").data
    {'text': 'The forest is *better*.', 'cut': False}
    """

    def __init__(
        self,
        text: str | os.PathLike[str],
        name: str | None = None,
        group: str | None = None,
        caption: str | None = None,
    ) -> None:
        super().__init__(name, group, caption)
        self.text = text

    def to_fragment(self, folder: str, name: str) -> Fragment:
        """Become text; it is drawn with the page.

        Raises
        ------
        ReportError
            If the file cannot be read, or it is neither text nor a path.
        """
        text, _ = read_text(self.text, type(self).__name__)
        data = {"text": text[:SHOWN_CHARACTERS], "cut": len(text) > SHOWN_CHARACTERS}
        return self._fragment(name, "markdown", data, write_whole(text, folder, f"{name}.md"))


def read_text(text: str | os.PathLike[str], owner: str) -> tuple[str, str | None]:
    """Give the text that was given, or that of the file; and the file's name, if it is one.

    Raises
    ------
    ReportError
        If the file cannot be read, or it is neither text nor a path.
    """
    if isinstance(text, str):
        return mask_text(text), None
    if not isinstance(text, os.PathLike):
        raise ReportError(
            f"{owner} was given {type(text).__name__}, not text.", hint="Give it str(…) of it, or a Path."
        )
    path = os.fspath(text)
    try:
        with open(path, encoding="utf-8", errors="backslashreplace") as stream:
            return mask_text(stream.read()), os.path.basename(path)
    except OSError as error:
        raise ReportError(
            f"The file '{path}' could not be read: {error.strerror or error}.",
            hint=f"The path is looked up from {os.getcwd()}.",
        ) from error


def write_whole(text: str, folder: str, file: str) -> tuple[str, ...]:
    """Write a text that is too long for the page into a file beside it; give its name, if it was needed."""
    if len(text) <= SHOWN_CHARACTERS:
        return ()
    with open(os.path.join(folder, file), "w", encoding="utf-8", errors="backslashreplace") as stream:
        stream.write(text)
    return (file,)
