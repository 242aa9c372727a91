"""What can be made of a past run: its reproduction, exports, a notebook, an image."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO, TYPE_CHECKING

from curifactory.errors import ConfigurationError, StoreError

if TYPE_CHECKING:
    from curifactory.project.project import Project
    from curifactory.publishing.notebook_file import LoadableArtifact
    from curifactory.publishing.parts import Published
    from curifactory.store.run import Run
    from curifactory.workflow.past_record import PastRecord
    from curifactory.workflow.reproduction import Beginning, Reproduction

# What a person may expect by its name and would not get; any other ending is that of a zip file.
_OTHER_ARCHIVES = frozenset({".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".pdf", ".md", ".json"})
# Each format with the ending of a file that is named after its run.
FORMATS: Mapping[str, str] = MappingProxyType({"zip": ".zip", "html": ".html", "ro-crate": ".crate.zip"})


@dataclass(frozen=True, slots=True)
class Image:
    """What an image of a run is built from, and what became of it.

    Parameters
    ----------
    folder : Path
        What it is built from, with its ``Dockerfile``.
    tag : str
        What the image is called.
    engine : str or None
        What has built it; None if nothing was built.
    not_from_index : tuple of str
        Packages of the run that came from a folder or an address and are not in the image.
    code_as_it_was : bool
        Whether the code in it is that of the run; where that was not recorded, it is the present one.
    """

    folder: Path
    tag: str
    engine: str | None
    not_from_index: tuple[str, ...]
    code_as_it_was: bool


class Publication:
    """The part of a past run that makes something of it for others."""

    _run: Run
    _project: Project
    _cache: Path

    @property
    def records(self) -> list[PastRecord]:
        """Its records, in their order."""
        raise NotImplementedError

    def reproduce(
        self,
        *,
        keep: bool = False,
        tolerance: float | None = None,
        along: Sequence[str | os.PathLike[str]] = (),
        output: IO[str] | None = None,
        begin: Callable[[Beginning], None] | None = None,
    ) -> Reproduction:
        """Do the run again from its commit, in a work tree of its own, and compare every artifact.

        Parameters
        ----------
        keep : bool
            Keep the work tree with its results, in ``data/reproduced``.
        tolerance : float, optional
            How far apart values may be that count as close; what each cacher says if None.
        along : sequence of path
            Files and folders, relative to the project, that are linked into the work tree: data that no commit has.
        output : file, optional
            Takes a line for each call that has ended.
        begin : callable, optional
            Is told what is known before the run is done again.

        Returns
        -------
        Reproduction
            ``is_reproduced``, ``artifacts`` with their likeness, and in what the surroundings differ.

        Raises
        ------
        StoreError
            If the run was not recorded so that it could be done again; the message says what is missing.
        """
        from curifactory.workflow.reproduction import reproduce_run

        return reproduce_run(
            self._run,
            self._project,
            self._cache,
            keep=keep,
            tolerance=tolerance,
            along=along,
            output=output,
            begin=begin,
        )

    def export(self, path: str | os.PathLike[str] | None = None, *, format: str | None = None) -> Path:
        """Write the run as files for others.

        Parameters
        ----------
        path : path, optional
            The file; named after the run, in the working folder, if not given.
        format : str, optional
            ``zip``: report, run and artifacts, which unpacked are a project of their own. ``html``: the report as one
            page. ``ro-crate``: a research object of the Workflow Run profile, as a zip file or, if ``path`` does not end
            with ``.zip``, a folder. By the ending of ``path`` if not given, else ``zip``.

        Returns
        -------
        Path
            What was written.

        Raises
        ------
        ConfigurationError
            If there is no such format.
        StoreError
            If it cannot be written.
        """
        from curifactory.publishing.bundle import write_bundle, write_page
        from curifactory.publishing.research_object import write_research_object

        chosen = _choose_format(path, format)
        name = f"{self._run.reference.replace('/', '_')}{FORMATS[chosen]}"
        target = Path(os.path.abspath(name if path is None else path))
        if path is not None and target.is_dir() and chosen != "ro-crate":
            target /= name
        write = {"zip": write_bundle, "html": write_page, "ro-crate": write_research_object}[chosen]
        return write(self._published, target)

    def notebook(self, path: str | os.PathLike[str] | None = None) -> Path:
        """Write a notebook that loads the run, with its parameters, metrics, records and artifacts.

        Parameters
        ----------
        path : path, optional
            The file; in the project's folder of notebooks, named after the run, if not given.

        Returns
        -------
        Path
            The notebook.

        Raises
        ------
        StoreError
            If it cannot be written.
        """
        from curifactory.publishing.notebook_file import notebook_path, write_notebook

        published = self._published
        target = notebook_path(published) if path is None else Path(os.path.abspath(path))
        return write_notebook(published, target, list(_iter_loadable(self.records)))

    def docker(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        tag: str | None = None,
        build: bool | None = None,
        output: IO[str] | None = None,
    ) -> Image:
        """Write what an image of the run is built from, and build it if docker or podman answers.

        Parameters
        ----------
        path : path, optional
            The folder; below ``data/images``, named after the run, if not given.
        tag : str, optional
            What the image is called; made of the run's reference if not given.
        build : bool, optional
            Whether to build it; None does if an engine answers.
        output : file, optional
            Takes what the engine says.

        Returns
        -------
        Image
            ``folder``, ``tag``, and ``engine``, which is None if nothing was built.

        Raises
        ------
        StoreError
            If something was not recorded or cannot be written, no engine answers although it has to, or the image
            cannot be built.
        """
        from curifactory.publishing.container_engine import build_image, find_engine, make_tag
        from curifactory.publishing.image_context import write_image_context

        reference = self._run.reference
        default = self._project.data_folder / "images" / reference
        folder = default if path is None else Path(os.path.abspath(path))
        tag = tag or make_tag(reference)
        engine = None if build is False else find_engine()
        if build and engine is None:
            raise StoreError(
                "Neither docker nor podman answers, so no image can be built.",
                hint="Start its service, or only write what it is built from: --no-build.",
            )
        context = write_image_context(self._published, folder)
        if engine is not None:
            build_image(engine, folder, tag, output=output)
        return Image(folder, tag, engine, context.not_from_index, context.code_as_it_was)

    @property
    def _published(self) -> Published:
        from curifactory.publishing.parts import Published

        return Published(self._run, self._project, self._cache)


def _choose_format(path: str | os.PathLike[str] | None, format: str | None) -> str:
    if format is None:
        suffix = "" if path is None else Path(path).suffix.lower()
        if suffix in _OTHER_ARCHIVES:
            raise ConfigurationError(
                f"A run cannot be exported as {suffix}.",
                hint=f"Write a .zip or .html file, or say which format is meant: {', '.join(FORMATS)}.",
            )
        return "html" if suffix in {".html", ".htm"} else "zip"
    if format not in FORMATS:
        raise ConfigurationError(
            f"There is no format {format!r} to export a run in.", hint=f"There are {', '.join(FORMATS)}."
        )
    return format


def _iter_loadable(records: Sequence[PastRecord]) -> Iterator[LoadableArtifact]:
    """Give the artifacts whose bytes and cachers are to be found, so that a notebook can load them."""
    from curifactory.publishing.notebook_file import LoadableArtifact

    for record in records:
        for name, artifact in record.artifacts.items():
            if artifact.is_loadable():
                about = " ".join(filter(None, (artifact.type, artifact.summary)))
                yield LoadableArtifact(record.index, name, about)
