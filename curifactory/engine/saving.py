"""From the values that a stage returned to artifacts: cachers write into staging, files are committed whole."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from curifactory.caching.cacheable import Cacheable
from curifactory.caching.placement import Placement
from curifactory.core.trace import Artifact, Output, StoredFile
from curifactory.engine.describe import type_name
from curifactory.engine.graph import Call
from curifactory.engine.labels import Labels
from curifactory.engine.named_code import CODE_NAMES, NamedCode
from curifactory.errors import CacheError, CurifactoryError, DefinitionError
from curifactory.store.artifacts import ArtifactFiles
from curifactory.store.full_store import NOT_KEPT


class Saved(NamedTuple):
    """An output, and whether what is loaded of it will equal what was saved."""

    output: Output
    lossless: bool


class _Staged(NamedTuple):
    cacher: Any
    placement: Placement
    references: list[str]
    folder: str


class Saver:
    """Saves the outputs of calls.

    Parameters
    ----------
    files : ArtifactFiles
        The store's files.
    labels : Labels
        Gives out names.
    named_code : NamedCode
        Knows which classes are the project's.
    cache_folder, project_folder : str
        Absolute paths.
    prefix : str
        What file names begin with.
    """

    def __init__(
        self,
        files: ArtifactFiles,
        labels: Labels,
        named_code: NamedCode,
        *,
        cache_folder: str,
        project_folder: str,
        prefix: str,
    ) -> None:
        self._files = files
        self._named_code = named_code
        self._cache_folder = cache_folder
        self._project_folder = project_folder
        self._prefix = prefix
        self._empty: list[str] = []
        self._prototypes: dict[tuple[int, str], tuple[Any, Any]] = {}
        self.labels = labels

    def placed(self, call: Call, position: int, label: str) -> Any:
        """Return the cacher of an output, placed where its files lie under a label."""
        output, template = call.output_specs[position]
        cacher = fresh_cacher(template, output.name)
        cacher.place(self._placement(call, output.name, label, None))
        return cacher

    def prototype(self, template: Any, name: str) -> Any:
        """Return a cacher of an output that is asked for names and identity only, never placed."""
        known = self._prototypes.get((id(template), name))
        if known is None:
            known = self._prototypes[id(template), name] = (template, fresh_cacher(template, name))
        return known[1]

    def final_cachers(self, call: Call) -> list[Any]:
        """Return the cachers of a call's outputs, placed where their files will lie; None for one that is not cached."""
        cachers: list[Any] = []
        for position, (output, template) in enumerate(call.output_specs):
            if template is None:
                cachers.append(None)
                continue
            label = self.labels.claim_early(call, fresh_cacher(template, output.name), output.name)
            cachers.append(self.placed(call, position, label))
        return cachers

    def save(self, call: Call, values: Sequence[Any], key: str) -> tuple[Saved, ...]:
        """Save all outputs of a call that have a cacher; ``call.outputs`` says already what they are.

        Nothing gets its final name before every output has been written.

        Raises
        ------
        CacheError
            If a cacher cannot save its value; no output of the call is saved then.
        """
        if len(call.output_specs) == 1:
            template = call.output_specs[0][1]
            entries = [None if template is None else self._stage(call, 0, values[0], key)]
        else:
            entries = self._stage_all(call, values, key)
        saved: list[Saved] = []
        try:
            for output, value, entry in zip(call.outputs, values, entries, strict=True):
                if entry is None:
                    saved.append(Saved(output, True))
                    continue
                artifact = self._commit(output, value, entry)
                whole = Output(output.name, output.type, output.summary, artifact)
                saved.append(Saved(whole, bool(entry.cacher.lossless)))
        finally:
            for position, entry in enumerate(entries):
                if entry is not None:
                    self._give_back(entry, is_committed=position < len(saved))
        return tuple(saved)

    def own_files(self, paths: Sequence[str]) -> tuple[Output, ...]:
        """Return an output for each file that a stage has written by itself under a path it asked for."""
        found = []
        for path in paths:
            if os.path.exists(path):
                stored = self._files.commit([], references=[path])
                name = os.path.basename(path)
                artifact = Artifact(name, "", "file", stored[0].digest, stored, stored[0].path)
                found.append(Output(name, "file", "", artifact))
        return tuple(found)

    def shown_path(self, path: str) -> str:
        """Return an absolute path relative to the project if it lies in it."""
        return path.removeprefix(self._project_folder + os.sep)

    def close(self) -> None:
        """Remove the staging folders."""
        while self._empty:
            self._files.discard_staging(self._empty.pop())

    def _placement(self, call: Call, output: str, label: str, staging: str | None) -> Placement:
        return Placement(
            label,
            self._cache_folder,
            staging=staging,
            project_folder=self._project_folder,
            experiment=self._prefix,
            params_hash=call.label_hash,
            stage=call.name,
            output=output,
            params=call.record.params,
        )

    def _stage_all(self, call: Call, values: Sequence[Any], key: str) -> list[_Staged | None]:
        staged: list[_Staged | None] = []
        try:
            for position, value in enumerate(values):
                template = call.output_specs[position][1]
                staged.append(None if template is None else self._stage(call, position, value, key))
            _check_labels(call, staged)
        except BaseException:
            for entry in staged:
                if entry is not None:
                    self._files.discard_staging(entry.folder)
            raise
        return staged

    def _stage(self, call: Call, position: int, value: Any, key: str) -> _Staged:
        output, template = call.output_specs[position]
        name = output.name
        cacher = fresh_cacher(template, name)
        label = call.labels.get(name) or self.labels.claim(call, cacher, name, key)
        staging = self._empty.pop() if self._empty else self._files.new_staging()
        try:
            try:
                placement = self._save_to(staging, cacher, call, name, label, value)
            except Exception:
                if os.path.isdir(staging):
                    raise
                # Somebody has removed a folder that we kept for this.
                staging = self._files.new_staging()
                placement = self._save_to(staging, cacher, call, name, label, value)
            if not _is_ours(cacher):
                placement.staged.update(_unasked_files(staging, placement, self._cache_folder))
            return _Staged(cacher, placement, list(cacher.references()), staging)
        except BaseException as error:
            self._files.discard_staging(staging)
            if isinstance(error, CurifactoryError):
                # A cacher's own refusal names itself and the output; what it cannot know is the call.
                raise CacheError(f"{error.message} (in {call.describe()})", hint=error.hint) from error
            if isinstance(error, Exception):
                raise CacheError(
                    f"{type(cacher).__name__} could not save the output '{name}' of {call.describe()}, "
                    f"a {type_name(value)}: {type(error).__name__}: {error}"
                ) from error
            raise

    def _save_to(self, staging: str, cacher: Any, call: Call, name: str, label: str, value: Any) -> Placement:
        placement = self._placement(call, name, label, staging)
        placement.write = self._files.staged.write
        cacher.place(placement)
        cacher.save(value)
        return placement

    def _commit(self, output: Output, value: Any, staged: _Staged) -> Artifact:
        cacher, placement, references, _ = staged
        is_there = self._files.staged.is_there
        pairs = [(path, final) for path, final in placement.staged.items() if is_there(path)]
        digest = cacher.digest(value, [path for path, _ in pairs])
        stored = self._files.commit(pairs, references=references)
        if not stored:
            raise CacheError(
                f"{type(cacher).__name__} wrote no file for the output '{output.name}'.",
                hint="A cacher's save() writes to the path that self.get_path() returns.",
            )
        metadata = dict(cacher.extra_metadata)
        names = self._named_code.names_of(value, metadata.pop(CODE_NAMES, None))
        if names:
            metadata[CODE_NAMES] = names
        if not cacher.track:
            metadata[NOT_KEPT] = False
        return Artifact(
            name=output.name,
            cacher=type(cacher).__name__,
            cacher_key=self._named_code.cacher_key(cacher),
            digest=digest or content_digest(stored),
            files=stored,
            label=placement.label,
            type=output.type,
            summary=output.summary,
            metadata=metadata,
        )

    def _give_back(self, entry: _Staged, *, is_committed: bool) -> None:
        """Keep a staging folder from which everything has been renamed away for the next output."""
        if is_committed and _is_ours(entry.cacher) and "/" not in entry.placement.label:
            self._empty.append(entry.folder)
        else:
            self._files.discard_staging(entry.folder)


def fresh_cacher(template: Any, name: str) -> Any:
    """Return a cacher of its own for one output of one call; the decorator's is never touched.

    Raises
    ------
    DefinitionError
        If it is no cacher.
    """
    is_new = isinstance(template, type)
    cacher = template() if is_new else template
    if not isinstance(cacher, Cacheable):
        raise DefinitionError(
            f"{type(cacher).__name__} is no cacher.", hint="Derive it from curifactory.caching.Cacheable."
        )
    if not is_new:
        cacher = cacher.fresh()
    cacher.name = cacher.name or name
    return cacher


def content_digest(files: Sequence[StoredFile]) -> str:
    """Return the identity of several files together; of one file its own digest."""
    if len(files) == 1:
        return files[0].digest
    from curifactory.identity.canonical import digest

    return "files:" + digest([file.digest for file in files])


def _is_ours(cacher: Any) -> bool:
    """Return whether a cacher is one of this package's, which write no files but those whose paths they ask for."""
    return type(cacher).__module__.startswith("curifactory.")


def _check_labels(call: Call, staged: Sequence[_Staged | None]) -> None:
    labels = [entry.placement.label for entry in staged if entry is not None]
    for position, label in enumerate(labels):
        if label in labels[:position]:
            raise CacheError(
                f"Two outputs of {call.describe()} would lie under the same name {label}.",
                hint="Give their cachers names or paths that differ.",
            )


def _unasked_files(staging: str, placement: Placement, cache_folder: str) -> dict[str, str]:
    """Return the files that a cacher wrote beside the paths it asked for, with the names they are meant to have."""
    asked = set(placement.staged)
    found: dict[str, str] = {}
    if all(os.path.join(staging, name) in asked for name in os.listdir(staging)):
        return found
    for folder, folders, names in os.walk(staging):
        folders[:] = [each for each in folders if os.path.join(folder, each) not in asked]
        for name in names:
            path = os.path.join(folder, name)
            if path not in asked:
                found[path] = os.path.join(cache_folder, os.path.relpath(path, staging))
    return found
