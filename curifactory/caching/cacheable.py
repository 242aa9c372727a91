"""``Cacheable``: the door for cachers, which write a value into files and read it back."""

from __future__ import annotations

import copy
import functools
import os
from collections.abc import Callable, Sequence
from typing import Any, Self
from weakref import WeakKeyDictionary

from curifactory.caching.arguments import class_key, name_arguments
from curifactory.caching.inline_save import InlineSave
from curifactory.caching.labels import checked_subdir
from curifactory.caching.sidecar import Sidecar
from curifactory.caching.template import check_template, template_extension
from curifactory.errors import CacheError, DefinitionError

# Arguments that say where the files lie and whose they are.
_GIVEN = ("path_override", "name", "subdir", "prefix", "record", "track")
# Keys of classes that were given no argument; a notebook makes the same class again and again.
_bare_keys: WeakKeyDictionary[type, str] = WeakKeyDictionary()


class Cacheable(Sidecar):
    """Writes one value into files and reads it back. Subclass it with ``save`` and ``load``.

    The laws of a cacher, which :class:`curifactory.testing.CacherLaws` tests:

    1. ``load()`` gives a value equal to the saved one and of its type, or ``save`` raises. One that is certain of it sets
       ``lossless = True``, in the class or during ``save``.
    2. Files are written only at paths that :meth:`get_path` or :meth:`get_dir` gave during that ``save``.
    3. Equal values give equal bytes; where the format does not allow it, :meth:`digest` stands in.
    4. What ``load`` needs to know beyond the files stands in ``extra_metadata``, as JSON values.
    5. An instance keeps nothing of a value; whatever ``save`` learns, a fresh instance can ``load`` without it.
    6. :meth:`compare` finds no distance between a value and itself, and the same one whichever comes first.

    Nobody has to care for torn files: a ``save`` writes to temporary names that are renamed when it has returned.

    Parameters
    ----------
    path_override : str, optional
        The exact path of the file. In a stage, or with a record, ``{hash} {cache} {stage} {name} {params.X} {experiment}
        {artifact_filename}`` are filled in.
    name : str, optional
        Name of the value in file names; the stage's output name if not given.
    subdir : str, optional
        Folder, or folders, below the cache folder.
    prefix : str, optional
        Stands in place of the experiment's name in file names.
    extension : str, optional
        Extension of the file.
    record : Record, optional
        For use outside of a stage: the file lies where that record's artifacts do.
    track : bool
        Whether the files are part of a full store of the run.

    Raises
    ------
    DefinitionError
        If ``subdir`` leaves the cache folder.

    Examples
    --------
    >>> class TextCacher(Cacheable):
    ...     extension = ".txt"
    ...
    ...     def save(self, obj):
    ...         with open(self.get_path(), "w") as file:
    ...             file.write(obj)
    ...
    ...     def load(self):
    ...         with open(self.get_path()) as file:
    ...             return file.read()
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cacher = TextCacher(f"{folder}/note.txt")
    ...     cacher.save("hello")
    ...     cacher.check(), cacher.load()
    (True, 'hello')
    """

    lossless: bool = False
    """Whether what is loaded is certain to equal what was saved, so that the first reader may get the saved object itself.
    Otherwise it is loaded for the first reader too, and a first run sees what every later one will."""

    runs_code: bool = False
    """Whether loading can run code that the file names, as a pickle does. Such a file is not loaded from a store that came
    from elsewhere, unless the person trusts it."""

    tolerance: float = 1e-6
    """How far apart two values may be that count as close when a run is reproduced; see :meth:`compare`."""

    _arguments: tuple[tuple[Any, ...], dict[str, Any]]
    # What Cacheable.__init__ got to say where the files lie and whose they are, which is no part of the key.
    _given: tuple[Any, ...] = ()

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:  # noqa: D102 - the class says it
        # Everything that a subclass could forget by not calling super().__init__().
        cacher = super().__new__(cls)
        cacher._arguments = args, kwargs
        cacher._reset()
        return cacher

    def __init__(
        self,
        path_override: str | os.PathLike[str] | None = None,
        name: str | None = None,
        subdir: str | None = None,
        prefix: str | None = None,
        extension: str | None = None,
        record: Any = None,
        track: bool = True,
    ) -> None:
        self._given = path_override, name, subdir, prefix, record, track
        if path_override is not None:
            self.path_override = os.fspath(path_override)
        if name is not None:
            self.name = name
        if subdir is not None:
            self.subdir = checked_subdir(subdir)
        if prefix is not None:
            self.prefix = prefix
        if extension is not None:
            self.extension = f".{extension}" if extension[:1].isalnum() else extension
        self.record = record
        self.track = track

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # A save from a class that is no cacher, mixed in, counts too.
        if cls.save is not Cacheable.save and not hasattr(cls.save, "is_whole"):
            cls.save = _whole_or_not_at_all(cls.save)  # type: ignore[method-assign]

    # ------------------------------------------------------------------------------------------ what subclasses write

    def save(self, obj: Any) -> Any:
        """Write a value to :meth:`get_path`.

        Parameters
        ----------
        obj : object
            The value.

        Raises
        ------
        CacheError
            If the value cannot be saved so that it comes back equal.
        """
        raise DefinitionError(f"{type(self).__qualname__} has no save(self, obj).")

    def load(self) -> Any:
        """Read the value from :meth:`get_path`.

        Raises
        ------
        CacheError
            If the files are not what ``save`` writes.
        """
        raise DefinitionError(f"{type(self).__qualname__} has no load(self).")

    def references(self) -> list[str]:
        """Return the paths of files that belong to somebody else but whose content is part of the artifact.

        Asked for after ``save`` or ``load``.
        """
        return []

    def digest(self, value: Any, files: Sequence[str]) -> str | None:
        """Return a digest of the content, for a format whose bytes differ between equal values.

        Parameters
        ----------
        value : object
            What was saved.
        files : sequence of str
            Where it was saved.

        Returns
        -------
        str or None
            ``kind:hex``; None, as here, when the digest of the bytes is good.
        """
        return None

    def compare(self, first: Any, second: Any) -> float | None:
        """Return how far apart two values are that were loaded from differing bytes.

        Parameters
        ----------
        first, second : object
            The values.

        Returns
        -------
        float or None
            0.0 of equal values. Otherwise, as here, the largest relative difference between their numbers, which is
            held against :attr:`tolerance`; None if they differ in more than numbers.

        Examples
        --------
        >>> import numpy as np
        >>> cacher = Cacheable()
        >>> cacher.compare(np.array([1.0, 2.0]), np.array([1.0, 2.0 + 1e-9])) < cacher.tolerance
        True
        """
        from curifactory.caching.closeness import measure_distance

        return measure_distance(first, second)

    # ------------------------------------------------------------------------------------------ what the engine calls

    def write_bytes(self, data: bytes, suffix: str | None = None) -> str:
        """Write all bytes of a file at once, for a ``save`` that has them in memory; in a stage they are digested from there.

        Parameters
        ----------
        data : bytes
            What the file is to hold.
        suffix : str, optional
            As in :meth:`get_path`.

        Returns
        -------
        str
            The path that was written.

        Raises
        ------
        CacheError
            As :meth:`get_path`.

        Examples
        --------
        >>> import tempfile
        >>> class BytesCacher(Cacheable):
        ...     def save(self, obj):
        ...         return self.write_bytes(obj)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     BytesCacher(f"{folder}/note.txt").save(b"hello")[-8:]
        'note.txt'
        """
        path = self.get_path(suffix)
        write = None if self.placement is None else self.placement.write
        if write is not None:
            write(path, data)
            return path
        with open(path, "wb") as file:
            file.write(data)
        return path

    def fresh(self) -> Self:
        """Return a copy without any state of earlier use; the instance in a decorator is never used itself."""
        duplicate = copy.copy(self)
        Cacheable._reset(duplicate)
        duplicate.extra_metadata = copy.deepcopy(self.extra_metadata)
        return duplicate

    def key(self) -> str:
        """Return the identity of the class and of the arguments that count for the bytes or for reading them.

        Returns
        -------
        str
            64 hex digits. Where the files lie does not count, save for the extension: some formats go by it.

        Raises
        ------
        UnidentifiableError
            If an argument is a value that has no identity.
        """
        args, kwargs = self._arguments
        kind = type(self)
        if not args and not kwargs and self.path_override is None:
            known = _bare_keys.get(kind)
            if known is None:
                known = _bare_keys[kind] = class_key(kind, {})
            return known
        arguments = name_arguments(kind, args, kwargs)
        for name, value in zip(_GIVEN, self._given, strict=False):
            # A subclass may use such a name, or the position, for something of its own.
            if name in arguments and arguments[name] is value:
                del arguments[name]
        if self.path_override is not None:
            extension = template_extension(self.path_override, self.extension)
            if extension != self.extension:
                arguments["path_extension"] = extension
        return class_key(kind, arguments)

    def check_definition(self) -> None:
        """Refuse a cacher that can never work.

        Raises
        ------
        DefinitionError
            If ``save`` or ``load`` is not written, or ``path_override`` is a template with unknown keys.
        """
        for name in ("save", "load"):
            if getattr(type(self), name) is getattr(Cacheable, name):
                raise DefinitionError(
                    f"{type(self).__qualname__} has no {name}.",
                    hint=f"Write {name}() in the class; it uses self.get_path().",
                )
        if self.path_override is not None:
            check_template(self.path_override)

    # ----------------------------------------------------------------------------------------------------------------

    def refusal(self, problem: str, *, hint: str | None = None) -> CacheError:
        """Return the error for a value that cannot be saved, which names the cacher and the output.

        Parameters
        ----------
        problem : str
            What is wrong, as the rest of a sentence.
        hint : str, optional
            What to do.

        Examples
        --------
        >>> str(Cacheable(name="model").refusal("it is a lambda."))
        "Cacheable cannot save 'model': it is a lambda."
        """
        return CacheError(f"{type(self).__qualname__} cannot save {self._target()}: {problem}", hint=hint)

    def __repr__(self) -> str:
        args, kwargs = self._arguments
        shown = [repr(value) for value in args] + [f"{name}={value!r}" for name, value in kwargs.items()]
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def _target(self) -> str:
        return repr(self.name if self.name is not None else self.path_override)

    def _reset(self) -> None:
        self.stage = None
        self.placement = None
        self.cache_paths = []
        self.metadata = {}
        self.extra_metadata = {}
        self._saving = None


def _whole_or_not_at_all(save: Callable[..., Any]) -> Callable[..., Any]:
    """Let a ``save`` that is called by a person write to temporary names; the engine has its own."""

    @functools.wraps(save)
    def save_whole(self: Cacheable, *args: Any, **kwargs: Any) -> Any:
        if self.placement is not None or self._saving is not None:
            return save(self, *args, **kwargs)
        self._saving = saving = InlineSave()
        try:
            result = save(self, *args, **kwargs)
            self._saving = None
            saving.commit()
        finally:
            self._saving = None
            saving.abandon()
        return saving.staged.get(result, result) if isinstance(result, str) else result

    save_whole.is_whole = True  # type: ignore[attr-defined]
    return save_whole
