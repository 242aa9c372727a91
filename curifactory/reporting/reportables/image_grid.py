"""``ImageGridReporter``: many pictures side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from curifactory.core.trace import Fragment
from curifactory.errors import ReportError
from curifactory.reporting.reportables.pictures import save_picture
from curifactory.reporting.reportables.reportable import Reportable

NARROWEST = 40
WIDEST = 800


class ImageGridReporter(Reportable):
    """Show pictures as a grid that fits the page.

    Parameters
    ----------
    images : sequence, or mapping of str
        Paths, arrays, tensors or PIL images, see
        :func:`~curifactory.reporting.reportables.pictures.save_picture`; the keys of a mapping are the labels. An array
        of shape (n, h, w) or (n, h, w, c) is n pictures.
    labels : sequence of str, optional
        What stands below each of them.
    name, group, caption : str, optional
        See :class:`~curifactory.reporting.Reportable`.
    width : int
        Width of a picture in the page, in pixels; 40 to 800. Small ones are enlarged without being smoothed.

    Examples
    --------
    >>> import tempfile
    >>> grid = ImageGridReporter({"dark": [[0.0, 0.1]], "light": [[0.9, 1.0]]}, name="tones")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     grid.to_fragment(folder=folder, name="tones").files
    ('tones~0.png', 'tones~1.png')
    """

    def __init__(
        self,
        images: Sequence[Any] | Mapping[Any, Any],
        labels: Sequence[Any] | None = None,
        name: str | None = None,
        group: str | None = None,
        caption: str | None = None,
        *,
        width: int = 120,
    ) -> None:
        super().__init__(name, group, caption)
        self.images = images
        self.labels = labels
        self.width = width

    def to_fragment(self, folder: str, name: str) -> Fragment:
        """Save the pictures.

        Raises
        ------
        ReportError
            If there are none, one of them is no picture, or the labels are more or fewer.
        """
        pictures: list[Any]
        labels: Sequence[Any] | None
        if isinstance(self.images, Mapping):
            pictures, labels = list(self.images.values()), self.labels or list(self.images)
        else:
            pictures, labels = list(self.images), self.labels
        if not pictures:
            raise ReportError("ImageGridReporter was given no images.")
        shown = None if labels is None else [str(label) for label in labels]
        if shown is not None and len(shown) != len(pictures):
            raise ReportError(f"ImageGridReporter was given {len(pictures)} images and {len(shown)} labels.")
        # Equal names in length keep the order in every listing of the folder.
        digits = len(str(len(pictures) - 1))
        files = tuple(
            save_picture(picture, folder, f"{name}~{number:0{digits}}")
            for number, picture in enumerate(pictures)
        )
        data = {"labels": shown, "width": max(NARROWEST, min(WIDEST, int(self.width)))}
        return self._fragment(name, "images", data, files)
