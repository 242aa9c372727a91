"""``ImageReporter``: a picture that lies in a file."""

from __future__ import annotations

import os
import shutil

from curifactory.core.trace import Fragment
from curifactory.errors import ReportError
from curifactory.reporting.reportables.reportable import Reportable

SHOWN_BY_BROWSERS = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".svg", ".bmp", ".ico"})


class ImageReporter(Reportable):
    """Show an image file. Its bytes are copied when it is reported; the file itself may go afterwards.

    Parameters
    ----------
    image_path : str or path
        The file: PNG, JPEG, GIF, WebP, AVIF, SVG or BMP.
    name, group, caption : str, optional
        See :class:`~curifactory.reporting.Reportable`.

    Examples
    --------
    >>> ImageReporter("data/raw/leaf.png", name="leaf", caption="The first leaf.")
    ImageReporter(name='leaf', caption='The first leaf.')
    """

    def __init__(
        self,
        image_path: str | os.PathLike[str],
        name: str | None = None,
        group: str | None = None,
        caption: str | None = None,
    ) -> None:
        super().__init__(name, group, caption)
        self.image_path = os.fspath(image_path)

    def to_fragment(self, folder: str, name: str) -> Fragment:
        """Copy the file.

        Raises
        ------
        ReportError
            If it is not there, or no browser shows this format.
        """
        extension = os.path.splitext(self.image_path)[1].lower()
        if extension not in SHOWN_BY_BROWSERS:
            raise ReportError(
                f"No browser shows '{self.image_path}' as an image.",
                hint=f"Save it as one of {', '.join(sorted(SHOWN_BY_BROWSERS))}.",
            )
        file = name + extension
        try:
            shutil.copyfile(self.image_path, os.path.join(folder, file))
        except OSError as error:
            raise ReportError(
                f"The image '{self.image_path}' could not be copied: {error.strerror or error}.",
                hint=f"The path is looked up from {os.getcwd()}.",
            ) from error
        return self._fragment(name, "image", {}, (file,))
