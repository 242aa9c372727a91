"""``VideoReporter``, ``AudioReporter`` and ``FileReporter``: what is played, or kept to be taken away."""

from __future__ import annotations

import os
from typing import ClassVar

from curifactory.core.trace import Fragment
from curifactory.reporting.reportables.files import check_extension, copy_file
from curifactory.reporting.reportables.reportable import Reportable

VIDEOS = frozenset({".mp4", ".m4v", ".webm", ".ogv", ".mov"})
SOUNDS = frozenset({".mp3", ".wav", ".ogg", ".oga", ".opus", ".m4a", ".aac", ".flac", ".weba"})


class FileReporter(Reportable):
    """Keep a file with the report, to be opened or downloaded. It is copied when it is reported.

    Parameters
    ----------
    path : str or path
        The file.
    name, group, caption : str, optional
        See :class:`~curifactory.reporting.Reportable`; without a name, the file's own.

    Examples
    --------
    >>> FileReporter("data/raw/measurements.ods")
    FileReporter(name='measurements.ods')
    """

    kind = "file"
    # The endings of what a browser plays, and what that is; None takes any file.
    _plays: ClassVar[tuple[frozenset[str], str] | None] = None

    def __init__(
        self,
        path: str | os.PathLike[str],
        name: str | None = None,
        group: str | None = None,
        caption: str | None = None,
    ) -> None:
        self.file_path = os.fspath(path)
        super().__init__(name or os.path.basename(self.file_path), group, caption)

    def to_fragment(self, folder: str, name: str) -> Fragment:
        """Copy the file.

        Raises
        ------
        ReportError
            If it cannot be copied, or no browser plays it.
        """
        if self._plays is not None:
            extensions, what = self._plays
            check_extension(self.file_path, extensions, what)
        file = copy_file(self.file_path, folder, name)
        size_bytes = os.path.getsize(os.path.join(folder, file))
        data = {"size_bytes": size_bytes, "file_name": os.path.basename(self.file_path)}
        return self._fragment(name, self.kind, data, (file,))


class VideoReporter(FileReporter):
    """Play a video: MP4, WebM, OGV or MOV. It is copied when it is reported.

    Parameters
    ----------
    path : str or path
        The file.
    name, group, caption : str, optional
        See :class:`~curifactory.reporting.Reportable`.

    Examples
    --------
    >>> VideoReporter("flight.mp4", name="flight")
    VideoReporter(name='flight')
    """

    kind = "video"
    _plays = (VIDEOS, "a video")


class AudioReporter(FileReporter):
    """Play a sound: MP3, WAV, Ogg, Opus, M4A, AAC or FLAC. It is copied when it is reported.

    Parameters
    ----------
    path : str or path
        The file.
    name, group, caption : str, optional
        See :class:`~curifactory.reporting.Reportable`.

    Examples
    --------
    >>> AudioReporter("robin.wav", name="robin", caption="Recorded in March.")
    AudioReporter(name='robin', caption='Recorded in March.')
    """

    kind = "audio"
    _plays = (SOUNDS, "audio")
