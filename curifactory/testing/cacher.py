"""The laws of a cacher as a pytest class."""

# ruff: noqa: S101 - laws are asserted

from __future__ import annotations

import copy
import os
import pickle
from pathlib import Path
from typing import Any, NoReturn

import pytest

from curifactory.caching.cacheable import Cacheable
from curifactory.errors import CacheError
from curifactory.testing.equality import are_equal
from curifactory.testing.shelf import Shelf


class Unsaveable:
    """A value that nothing can save."""

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("this value cannot be saved")


class CacherLaws:
    """What every cacher keeps. Inherit, and override the fixtures ``cacher`` and ``values``.

    Attributes
    ----------
    refuses_with : type of Exception
        What ``save`` raises for a value that it cannot save.
    has_files : bool
        Whether the cacher writes files at all.
    lossy : bool
        Whether a value may come back as another where the cacher does not call itself ``lossless``.

    Examples
    --------
    A test file for a cacher of one's own::

        class TestTextCacher(CacherLaws):
            @pytest.fixture
            def cacher(self):
                return TextCacher  # or TextCacher(encoding="utf-8")

            @pytest.fixture
            def values(self):
                return ["", "one line", "größe"]
    """

    refuses_with: type[Exception] = Exception
    has_files: bool = True
    lossy: bool = False

    @pytest.fixture
    def cacher(self) -> Cacheable | type[Cacheable]:
        """Return the class, or an instance, as it would stand in a decorator."""
        raise NotImplementedError("override the fixture 'cacher'")

    @pytest.fixture
    def values(self) -> list[Any]:
        """Return some values that the cacher can save."""
        raise NotImplementedError("override the fixture 'values'")

    @pytest.fixture
    def unsaveable(self) -> list[Any]:
        """Return some values that the cacher must refuse."""
        return [Unsaveable()]

    @pytest.fixture
    def shelf(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
        """Return an empty cache; the current folder is another, empty one."""
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        monkeypatch.chdir(elsewhere)
        return Shelf(tmp_path / "shelf")

    def same(self, saved: Any, loaded: Any) -> bool:
        """Return whether a loaded value is the saved one; override it for types with another notion of equality."""
        return are_equal(saved, loaded)

    def prepare(self, cacher: Cacheable, value: Any) -> Any:
        """Return the value to save for one of ``values``; override it where the stage has to do something first.

        Parameters
        ----------
        cacher : Cacheable
            Knows where its files will lie.
        value : object
            One of ``values``.
        """
        return value

    # --------------------------------------------------------------------------------------------------------- laws

    def test_a_value_comes_back_equal_and_of_its_type(
        self, shelf: Shelf, cacher: Any, values: list[Any]
    ) -> None:
        """A fresh cacher loads what was saved; a lossy one at least always the same."""
        for value in values:
            saved = self.prepare(shelf.place(cacher)[0], value)
            stored = shelf.save(cacher, saved)
            loaded = shelf.load(cacher, stored)
            if stored.lossless or not self.lossy:
                assert self.same(saved, loaded), f"{saved!r} came back as {loaded!r}"
            else:
                assert self.same(loaded, shelf.load(cacher, stored)), (
                    f"{saved!r} comes back differently each time"
                )

    def test_files_are_written_only_where_get_path_says(
        self, shelf: Shelf, cacher: Any, values: list[Any]
    ) -> None:
        """Nothing lies anywhere else: not beside the files, not in the current folder."""
        for number, value in enumerate(values):
            output = f"value-{number}"
            saved = self.prepare(shelf.place(cacher, output=output)[0], value)
            before = _files_below(shelf.cache_folder)
            stored = shelf.save(cacher, saved, output=output)
            assert stored.strays == ()
            assert bool(stored.files) == self.has_files
            assert _files_below(shelf.cache_folder) - before <= set(stored.files)
            stem = os.path.join(shelf.cache_folder, stored.label)
            assert all(path.startswith(stem) for path in stored.files)
            assert os.listdir() == []

    def test_the_same_value_gives_the_same_bytes(self, shelf: Shelf, cacher: Any, values: list[Any]) -> None:
        """Saving twice gives the same files, or the same ``digest``."""
        for value in values:
            saved = self.prepare(shelf.place(cacher)[0], value)
            first, second = shelf.save(cacher, saved), shelf.save(cacher, saved)
            if first.digest is not None:
                assert first.digest == second.digest
            else:
                assert first.files == second.files

    def test_a_refused_value_leaves_no_file(self, shelf: Shelf, cacher: Any, unsaveable: list[Any]) -> None:
        """A ``save`` that raises leaves nothing under a final name."""
        for value in unsaveable:
            with pytest.raises(self.refuses_with):
                shelf.save(cacher, value)
            assert _files_below(shelf.cache_folder) == set()
            assert os.listdir() == []

    def test_extra_metadata_is_json_and_complete(self, shelf: Shelf, cacher: Any, values: list[Any]) -> None:
        """What ``load`` needs survives as JSON, and an instance remembers nothing else."""
        for value in values:
            saved = self.prepare(shelf.place(cacher)[0], value)
            stored = shelf.save(cacher, saved)
            fresh, placement = shelf.place(cacher)
            placement.label = stored.label
            assert fresh.extra_metadata == {}, "a fresh cacher remembers an earlier value"
            assert self.same(shelf.load(cacher, stored), shelf.load(copy.copy(cacher), stored))

    def test_a_suffix_stands_in_place_of_the_extension(self, shelf: Shelf, cacher: Any) -> None:
        """``get_path`` is not overridden with other rules."""
        fresh, placement = shelf.place(cacher)
        stem = os.path.join(placement.cache_folder, placement.label)
        assert fresh.get_path().startswith(stem)
        assert fresh.get_path("_more.json") == f"{stem}_more.json"
        assert fresh.get_path() == fresh.get_path()
        with pytest.raises(CacheError):
            fresh.get_path("/../../outside")

    def test_files_are_loaded_from_where_they_lie_now(
        self, shelf: Shelf, cacher: Any, values: list[Any], tmp_path: Path
    ) -> None:
        """``load`` opens the paths that ``get_path`` gives, wherever they lead."""
        for number, value in enumerate(values):
            aside = tmp_path / f"aside-{number}"
            aside.mkdir()
            saved = self.prepare(shelf.place(cacher)[0], value)
            stored = shelf.save(cacher, saved)
            before = shelf.load(cacher, stored)
            redirects = {}
            for index, entry in enumerate(sorted(os.listdir(shelf.cache_folder))):
                final = str(shelf.cache_folder / entry)
                redirects[final] = str(aside / f"{index}{Path(entry).suffix}")
                os.replace(final, redirects[final])
            if self.has_files:
                assert redirects
                assert self.same(before, shelf.load(cacher, stored, redirects=redirects))

    def test_it_works_without_a_stage(
        self, shelf: Shelf, cacher: Any, values: list[Any], tmp_path: Path
    ) -> None:
        """A path is enough to save, check and load."""
        for number, value in enumerate(values):
            path = self.inline_path(tmp_path, number, value)
            inline = self.inline(cacher, path)
            assert not inline.check()
            saved = self.prepare(inline, value)
            inline.save(saved)
            assert inline.check()
            loaded = self.inline(cacher, path).load()
            assert (self.lossy and not inline.lossless) or self.same(saved, loaded)
            leftovers = [name for name in os.listdir(path.parent) if name.endswith(".saving")]
            assert leftovers == []

    def test_a_refused_value_keeps_the_earlier_file(
        self, shelf: Shelf, cacher: Any, values: list[Any], unsaveable: list[Any], tmp_path: Path
    ) -> None:
        """Without a stage too, a ``save`` is whole or not at all."""
        value = values[0]
        path = self.inline_path(tmp_path, 0, value)
        inline = self.inline(cacher, path)
        inline.save(self.prepare(inline, value))
        before = self.inline(cacher, path).load()
        for refused in unsaveable:
            with pytest.raises(self.refuses_with):
                inline.save(refused)
            assert self.same(before, self.inline(cacher, path).load())

    def test_a_value_has_no_distance_from_itself(
        self, shelf: Shelf, cacher: Any, values: list[Any], tmp_path: Path
    ) -> None:
        """``compare`` finds two loads of one save equal, and does not depend on the order of its arguments."""
        inline = self.inline(cacher, tmp_path / "compare")
        loaded = []
        for value in values:
            saved = self.prepare(shelf.place(cacher)[0], value)
            stored = shelf.save(cacher, saved)
            loaded.append(shelf.load(cacher, stored))
            distance = inline.compare(loaded[-1], shelf.load(cacher, stored))
            # Values that cannot be compared at all are no law's business.
            assert distance in (0.0, None), f"{loaded[-1]!r} is {distance} away from itself"
            if distance is None:
                assert not self.same(loaded[-1], shelf.load(cacher, stored))
        for first in loaded:
            for second in loaded:
                distance = inline.compare(first, second)
                assert distance == inline.compare(second, first)
                assert distance is None or distance >= 0.0

    def test_copies_have_the_same_key(self, cacher: Any) -> None:
        """The key depends on class and arguments alone."""
        instance = cacher() if isinstance(cacher, type) else cacher
        key = instance.key()
        assert len(key) == 64
        assert copy.copy(instance).key() == key
        assert instance.fresh().key() == key
        assert pickle.loads(pickle.dumps(instance)).key() == key

    def test_its_definition_is_complete(self, cacher: Any) -> None:
        """``save`` and ``load`` are there."""
        (cacher() if isinstance(cacher, type) else cacher).check_definition()

    # ------------------------------------------------------------------------------------------------- without a stage

    def inline_path(self, folder: Path, number: int, value: Any) -> Path:
        """Return the path for a value that is saved without a stage.

        Parameters
        ----------
        folder : Path
            An existing folder.
        number : int
            Number of the value.
        value : object
            One of ``values``.
        """
        return folder / "inline" / f"value-{number}.data"

    def inline(self, cacher: Any, path: Path) -> Cacheable:
        """Return a cacher for that path, with the arguments of the one under test.

        Parameters
        ----------
        cacher : Cacheable or type
            The one under test.
        path : Path
            Where to save.
        """
        fresh: Cacheable = (cacher() if isinstance(cacher, type) else cacher).fresh()
        fresh.path_override = str(path)
        return fresh


def _files_below(folder: Path) -> set[str]:
    return {str(Path(parent, name)) for parent, _, names in os.walk(folder) for name in names}
