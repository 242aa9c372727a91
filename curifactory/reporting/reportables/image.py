"""``ImageReporter``: a picture, from a file or from numbers."""

from __future__ import annotations

import os
import struct
from typing import Any

from curifactory.core.trace import Fragment
from curifactory.reporting.reportables.pictures import save_picture
from curifactory.reporting.reportables.reportable import Reportable

SMALLEST = 240
PNG_HEAD = 24


class ImageReporter(Reportable):
    """Show an image. Its bytes are copied when it is reported; the file itself may go afterwards.

    Parameters
    ----------
    image_path : str, path, array or PIL image
        A file (PNG, JPEG, GIF, WebP, AVIF, SVG or BMP), or pixels, see
        :func:`~curifactory.reporting.reportables.pictures.save_picture`.
    name, group, caption : str, optional
        See :class:`~curifactory.reporting.Reportable`.
    alt : str, optional
        What it shows, for those who do not see it; without it, the caption or the name.

    Examples
    --------
    >>> ImageReporter("data/raw/leaf.png", name="leaf", caption="The first leaf.")
    ImageReporter(name='leaf', caption='The first leaf.')
    """

    def __init__(
        self,
        image_path: str | os.PathLike[str] | Any,
        name: str | None = None,
        group: str | None = None,
        caption: str | None = None,
        *,
        alt: str | None = None,
    ) -> None:
        super().__init__(name, group, caption)
        self.image_path = os.fspath(image_path) if isinstance(image_path, os.PathLike) else image_path
        self.alt = alt

    def to_fragment(self, folder: str, name: str) -> Fragment:
        """Copy the file, or save the pixels.

        Raises
        ------
        ReportError
            If the file is not there, or it is nothing that a browser shows.
        """
        file = save_picture(self.image_path, folder, name)
        data: dict[str, Any] = {} if self.alt is None else {"alt": self.alt}
        return self._fragment(name, "image", data | _enlarge(os.path.join(folder, file)), (file,))


def _enlarge(path: str) -> dict[str, Any]:
    """Say how large a picture of few pixels is shown: nobody sees the eight by eight that a model sees."""
    with open(path, "rb") as stream:
        head = stream.read(PNG_HEAD)
    if len(head) < PNG_HEAD or not head.startswith(b"\x89PNG"):
        return {}
    width, height = struct.unpack(">II", head[-8:])
    times = SMALLEST // max(width, height, 1)
    if times < 2 or not width or not height:
        return {}
    return {"width": times * width, "height": times * height, "enlarged": True}
