"""The names of files: which label an output has, which call of this run holds it, and where people's own files lie."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from typing import Any

from curifactory.caching.names import safe_name
from curifactory.engine.graph import Call
from curifactory.errors import DefinitionError


class Labels:
    """Gives out labels: what the names of an artifact's files begin with.

    A label is only a label. The first call of a run that wants one gets it plain; another call with the same label and
    another key gets the beginning of its key behind it, so that no call writes over another's file.

    Parameters
    ----------
    prefix : str
        What labels begin with.
    cache_folder : str
        Absolute path.
    warn : callable
        Takes one line of text.
    """

    __slots__ = ("_cache_folder", "_calls", "_holders", "_prefix", "_warn")

    def __init__(self, *, prefix: str, cache_folder: str, warn: Callable[[str], None]) -> None:
        self._prefix = prefix
        self._cache_folder = cache_folder
        self._warn = warn
        self._holders: dict[str, str] = {}
        self._calls: dict[str, Call] = {}

    def plain(self, call: Call, cacher: Any, output: str) -> str:
        """Return the label that an output has if nobody else holds it."""
        label: str = cacher.label_for(
            experiment=self._prefix,
            params_hash=call.label_hash,
            stage=call.name,
            output=output,
            params=call.record.params,
            cache_folder=self._cache_folder,
        )
        return label

    def claim(self, call: Call, cacher: Any, output: str, key: str, *, plain: str | None = None) -> str:
        """Return the label under which an output of a call with this key lies; its plain one may be known already."""
        label = plain or self.plain(call, cacher, output)
        holder = self._holders.get(label)
        if holder is None:
            self._holders[label], self._calls[label] = key, call
            return label
        if holder == key:
            return label
        if cacher.path_override is not None:
            # The person has asked for this very path: the later call gets it, and the bytes of the earlier go aside.
            other = self._calls[label]
            self._warn(
                f"{call.describe()} and {other.describe()} both write '{output}' to {label}; the later one lies there. "
                "Put {hash} or {params.name} into the path_override."
            )
            self._holders[label], self._calls[label] = key, call
            return label
        own = f"{label}~{key[:8]}"
        self._holders[own], self._calls[own] = key, call
        return own

    def claim_early(self, call: Call, cacher: Any, output: str, *, plain: str | None = None) -> str:
        """Return the label of an output whose call has no key yet, because its stage asks for the path."""
        if output not in call.labels:
            # The position of the call is the same in every run of the same code.
            stand_in = hashlib.sha256(f"{call.index} {call.stage_id} {output}".encode()).hexdigest()
            label = self.claim(call, cacher, output, stand_in, plain=plain)
            call.labels = {**call.labels, output: label}
        return call.labels[output]

    def claim_ahead(self, call: Call, cacher: Any, output: str) -> str | None:
        """Return the label of an output of a call that is executed in another process, before it has a key.

        None if the person has asked for a very path that another call of this run has: then the order decides.
        """
        if output in call.labels:
            return call.labels[output]
        label = self.plain(call, cacher, output)
        if cacher.path_override is not None and self._calls.get(label, call) is not call:
            return None
        return self.claim_early(call, cacher, output, plain=label)

    def hold(self, label: str, key: str, call: Call) -> None:
        """Note that a reused call's file lies under a label."""
        self._holders.setdefault(label, key)
        self._calls.setdefault(label, call)

    def pass_on(self, label: str, key: str) -> None:
        """Note the key of the call that holds a label, which it has got since."""
        self._holders[label] = key

    def is_free_for(self, label: str, key: str) -> bool:
        """Whether nobody else in this run holds a label."""
        return self._holders.get(label) in (None, key)

    def own_path(
        self,
        name: str,
        *,
        params_hash: str,
        stage: str,
        prefix: str | None = None,
        subdir: str | None = None,
    ) -> str:
        """Return where a file lies that people write themselves; its name keeps its extension.

        Raises
        ------
        DefinitionError
            If ``subdir`` leaves the cache folder.
        """
        stem, extension = os.path.splitext(name)
        parts = (prefix or self._prefix, params_hash, stage, stem)
        folder = os.path.normpath(os.path.join(self._cache_folder, subdir)) if subdir else self._cache_folder
        if folder != self._cache_folder and not folder.startswith(self._cache_folder + os.sep):
            raise DefinitionError(
                f"The subdir {subdir!r} leaves the cache folder.", hint="Name a folder below it."
            )
        return os.path.join(folder, "_".join(map(safe_name, parts)) + extension)
