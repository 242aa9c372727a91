"""From the values that a stage returned to artifacts: cachers write into staging, files are committed whole."""

from __future__ import annotations

import os
from collections.abc import Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from curifactory.caching.cacheable import Cacheable
from curifactory.caching.placement import Placement
from curifactory.core.trace import NO_METADATA, Artifact, Output, StoredFile, new_tuple
from curifactory.engine.describe import describe, summary, type_name
from curifactory.engine.graph import Call
from curifactory.engine.labels import Labels
from curifactory.engine.named_code import CODE_NAMES, NamedCode
from curifactory.errors import CacheError, CurifactoryError, DefinitionError, say
from curifactory.store.artifacts import ArtifactFiles
from curifactory.store.full_store import NOT_KEPT

_FIRST = itemgetter(0)


class _Staged(NamedTuple):
    cacher: Any
    placement: Placement
    references: list[str]
    folder: str
    is_ours: bool


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
        # Of those whose code nobody edits meanwhile; their templates are held by the prototypes.
        self._keys: dict[tuple[int, str], str] = {}
        self.labels = labels

    def placed(self, call: Call, position: int, label: str) -> Any:
        """Return the cacher of an output, placed where its files lie under a label."""
        output, template = call.output_specs[position]
        cacher = fresh_cacher(template, output.name)
        cacher.place(self._placement(call, output.name, label))
        return cacher

    def prototype(self, template: Any, name: str) -> Any:
        """Return a cacher of an output that is asked for names and identity only, never placed."""
        known = self._prototypes.get((id(template), name))
        if known is None:
            known = self._prototypes[id(template), name] = (template, fresh_cacher(template, name))
        return known[1]

    def cacher_key(self, template: Any, name: str) -> str:
        """Return the identity of the cacher of an output, as :meth:`NamedCode.cacher_key` gives it."""
        key = self._keys.get((id(template), name))
        return self._find_cacher_key(template, name) if key is None else key

    def _find_cacher_key(self, template: Any, name: str) -> str:
        # A class without arguments has one key for all outputs; only its own way to make keys may ask for their names.
        is_shared = getattr(template, "key", None) is Cacheable.key
        key = self._keys.get((id(template), "")) if is_shared else None
        if key is None:
            cacher = self.prototype(template, name)
            key = self._named_code.cacher_key(cacher)
            if self._named_code.may_change(type(cacher)):
                return key
            if is_shared:
                self._keys[id(template), ""] = key
        self._keys[id(template), name] = key
        return key

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

    def save(
        self, call: Call, values: Sequence[Any], key: str
    ) -> tuple[tuple[Output, ...], tuple[bool, ...]]:
        """Save all outputs of a call that have a cacher.

        Nothing gets its final name before every output has been written.

        Returns
        -------
        outputs : tuple of Output
            One for each value.
        lossless : tuple of bool
            For each of them, whether what is loaded of it will equal what was saved.

        Raises
        ------
        CacheError
            If a cacher cannot save its value; no output of the call is saved then.
        """
        specs = call.stage.outputs
        if len(specs) == 1:
            template = specs[0][1]
            entries = [None if template is None else self._stage(call, 0, values[0], key)]
        else:
            entries = self._stage_all(call, values, key)
        outputs: list[Output] = []
        lossless: list[bool] = []
        try:
            for (spec, template), value, entry in zip(specs, values, entries, strict=True):
                if entry is None:
                    outputs.append(describe(spec.name, value))
                    lossless.append(True)
                else:
                    outputs.append(
                        self._commit(spec.name, value, entry, self.cacher_key(template, spec.name))
                    )
                    lossless.append(bool(entry.cacher.lossless))
        finally:
            for position, entry in enumerate(entries):
                if entry is not None:
                    self._give_back(entry, is_committed=position < len(outputs))
        return tuple(outputs), tuple(lossless)

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

    def _placement(self, call: Call, output: str, label: str) -> Placement:
        return Placement(
            label,
            self._cache_folder,
            project_folder=self._project_folder,
            experiment=self._prefix,
            params_hash=call.label_hash,
            stage=call.stage.name,
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
        output, template = call.stage.outputs[position]
        name = output.name
        cacher = fresh_cacher(template, name)
        label = call.labels.get(name) or self.labels.claim(call, cacher, name, key)
        placement = self._placement(call, name, label)
        placement.write = self._files.staged.write
        folder = placement.staging = self._empty.pop() if self._empty else self._files.new_staging()
        try:
            try:
                cacher.place(placement)
                cacher.save(value)
            except Exception:
                if os.path.isdir(folder):
                    raise
                # Somebody has removed a folder that we kept for this.
                folder = placement.staging = self._files.new_staging()
                placement.staged.clear()
                cacher.save(value)
            # Ours write no files but those whose paths they ask for.
            is_ours = type(cacher).__module__.startswith("curifactory.")
            if not is_ours:
                placement.staged.update(_unasked_files(folder, placement, self._cache_folder))
            return new_tuple(_Staged, (cacher, placement, list(cacher.references()), folder, is_ours))
        except BaseException as error:
            self._files.discard_staging(folder)
            if isinstance(error, CurifactoryError):
                # A cacher's own refusal names itself and the output; what it cannot know is the call.
                raise CacheError(f"{error.message} (in {call.describe()})", hint=error.hint) from error
            if isinstance(error, Exception):
                path = next(iter(placement.staged.values()), self._cache_folder)
                raise CacheError(
                    f"{type(cacher).__name__} could not save the output '{name}' of {call.describe()}, "
                    f"of type {type_name(value)}: {say(error)}{_place_of(error, path)}"
                ) from error
            raise

    def _commit(self, name: str, value: Any, staged: _Staged, cacher_key: str) -> Output:
        cacher, placement, references, _, is_ours = staged
        pairs = self._files.staged.find(placement.staged)
        digest = cacher.digest(value, list(map(_FIRST, pairs)))
        stored = self._files.commit(pairs, references, is_untouched=is_ours)
        if not stored:
            raise CacheError(
                f"{type(cacher).__name__} wrote no file for the output '{name}'.",
                hint="A cacher's save() writes to the path that self.get_path() returns.",
            )
        metadata = dict(cacher.extra_metadata)
        names = self._named_code.names_of(value, metadata.pop(CODE_NAMES, None))
        if names:
            metadata[CODE_NAMES] = names
        if not cacher.track:
            metadata[NOT_KEPT] = False
        kind, said = type_name(value), summary(value, name)
        artifact = new_tuple(
            Artifact,
            (
                name,
                type(cacher).__name__,
                cacher_key,
                digest or (stored[0].digest if len(stored) == 1 else content_digest(stored)),
                stored,
                placement.label,
                kind,
                said,
                metadata or NO_METADATA,
            ),
        )
        return new_tuple(Output, (name, kind, said, artifact))

    def _give_back(self, entry: _Staged, *, is_committed: bool) -> None:
        """Keep a staging folder from which everything has been renamed away for the next output."""
        if is_committed and entry.is_ours and "/" not in entry.placement.label:
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


def _place_of(error: Exception, path: str) -> str:
    """Return where something was to be written if an error of the operating system does not say it, as of a full disk."""
    return f": '{path}'" if isinstance(error, OSError) and error.errno and error.filename is None else ""


def content_digest(files: Sequence[StoredFile]) -> str:
    """Return the identity of several files together; of one file its own digest."""
    if len(files) == 1:
        return files[0].digest
    from curifactory.identity.canonical import digest

    return "files:" + digest([file.digest for file in files])


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
