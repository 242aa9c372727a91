"""The laws of a reportable as a pytest class."""

# ruff: noqa: S101 - laws are asserted

from __future__ import annotations

import json
import os
import sys
from html import escape
from pathlib import Path
from typing import Any

import pytest

from curifactory.core.trace import Fragment
from curifactory.engine.rendering import ERROR_KIND, render
from curifactory.reporting.addresses import InlineAddresses, PageAddresses
from curifactory.reporting.pages import render_page
from curifactory.reporting.view.chip import Chips
from curifactory.reporting.view.reportables import ReportableView, gather_reportables
from curifactory.store.rows import ReportableRow
from curifactory.testing.equality import are_equal

NAME = "what_it_is"
PAYLOAD = "<script>alert('curifactory')</script>"


class ReportableLaws:
    """What every reportable keeps. Inherit, and override :meth:`make`.

    Examples
    --------
    A test file for a reportable of one's own::

        class TestBadge(ReportableLaws):
            def make(self, **given):
                return Badge("a < b", **given)
    """

    def make(self, **given: Any) -> Any:
        """Return a new reportable, with ``name``, ``group`` and ``caption`` as given.

        Parameters
        ----------
        **given
            Some of these, to be passed on to the class.
        """
        raise NotImplementedError("override the method 'make'")

    @pytest.fixture
    def place(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """Return the folder for files; the current folder is another, empty one, whatever :meth:`make` needs there."""
        elsewhere = tmp_path / "elsewhere"
        folder = tmp_path / "fragments" / "0"
        elsewhere.mkdir()
        folder.mkdir(parents=True)
        monkeypatch.chdir(elsewhere)
        return folder

    # --------------------------------------------------------------------------------------------------------- laws

    def test_it_becomes_data_and_files_that_json_can_say(self, place: Path) -> None:
        """The fragment is plain: what is read back from JSON is what was written, NaN apart."""
        fragment = draw(self.make(), place)
        assert isinstance(fragment, Fragment)
        text = json.dumps(fragment.data)
        assert json.dumps(json.loads(text)) == text

    def test_name_group_and_caption_are_those_that_were_given(self, place: Path) -> None:
        """What people call it is what the report says."""
        fragment = draw(self.make(name="the name", group="the group", caption="A caption."), place)
        assert (fragment.name, fragment.group, fragment.caption) == ("the name", "the group", "A caption.")

    def test_its_files_lie_in_the_folder_under_the_name_that_it_was_told(self, place: Path) -> None:
        """All files are listed, and none is called so that another reportable's could meet it."""
        fragment = draw(self.make(), place)
        assert sorted(fragment.files) == sorted(os.listdir(place))
        for file in fragment.files:
            assert (place / file).is_file()
            assert os.path.splitext(file)[0] == NAME or file.startswith(f"{NAME}~"), f"{file} is not {NAME}.…"

    def test_it_does_not_know_where_its_files_lie(self, place: Path) -> None:
        """Runs are copied and linked: no data lead back to the folder."""
        fragment = draw(self.make(), place)
        assert str(place) not in json.dumps(fragment.data, ensure_ascii=False)

    def test_drawn_again_it_is_the_same(self, place: Path) -> None:
        """Two of a kind, drawn one after the other, give equal data and equal bytes."""
        first = draw(self.make(), place)
        other = place.with_name("1")
        other.mkdir()
        second = draw(self.make(), other)
        assert (second.kind, second.files) == (first.kind, first.files)
        assert are_equal(second.data, first.data)
        for file in first.files:
            assert (other / file).read_bytes() == (place / file).read_bytes(), f"{file} differs"

    def test_two_of_them_stand_side_by_side(self, place: Path) -> None:
        """Files of one are not those of another."""
        first = draw(self.make(), place)
        second = draw(self.make(), place, name="another")
        assert not set(first.files) & set(second.files)
        assert all((place / file).is_file() for file in (*first.files, *second.files))

    def test_the_world_is_left_as_it_was(self, place: Path) -> None:
        """Working folder, matplotlib's settings and its open figures are as before, or fewer."""
        reportable = self.make()
        before, figures = _world(), _open_figures()
        draw(reportable, place)
        assert _world() == before
        assert _open_figures() <= figures

    def test_the_report_shows_it(self, place: Path) -> None:
        """The page draws it, in a folder and within a notebook; neither finds anything wrong."""
        for shown in (
            show(draw(self.make(), place), place),
            show(draw(self.make(), place), place, inline=True),
        ):
            assert shown.kind != ERROR_KIND, shown.data
            assert page_of(shown)

    def test_names_and_captions_are_text_in_the_page(self, place: Path) -> None:
        """Nothing that a person wrote is markup."""
        fragment = draw(self.make(name=PAYLOAD, group=PAYLOAD, caption=PAYLOAD), place)
        page = page_of(show(fragment, place))
        assert PAYLOAD not in page
        assert escape(PAYLOAD, quote=False).replace("'", "&#39;") in page


def draw(reportable: Any, place: Path, *, name: str = NAME) -> Fragment:
    """Render a reportable as the engine does, and give its fragment.

    Raises
    ------
    AssertionError
        If it could not be drawn.
    """
    fragment = render(reportable, str(place), name)
    assert fragment.kind != ERROR_KIND, fragment.data["traceback"]
    return fragment


def show(fragment: Fragment, place: Path, *, inline: bool = False) -> ReportableView:
    """Give a fragment as a page would show it."""
    folder = str(place.parent)
    addresses = (
        InlineAddresses(folder) if inline else PageAddresses(folder, folder, "run_1_2026-11-21-T101500")
    )
    (shown,) = gather_reportables(
        [ReportableRow(0, None, None, place.name, fragment)], (), Chips(()), addresses
    )
    return shown


def page_of(shown: ReportableView) -> str:
    """Give the markup of what a page shows."""
    return render_page("reportable.html", each=shown)


def _world() -> tuple[Any, ...]:
    import matplotlib as mpl

    return os.getcwd(), dict(mpl.rcParams), sorted(os.listdir())


def _open_figures() -> set[int]:
    pyplot = sys.modules.get("matplotlib.pyplot")
    return set() if pyplot is None else set(pyplot.get_fignums())
