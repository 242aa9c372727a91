"""What people write on a run afterwards, notes and tags, and the pages that show it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from curifactory.errors import ConfigurationError
from curifactory.project.project import Project
from curifactory.store.collection import goes_on
from curifactory.store.index import Index
from curifactory.store.layout import Layout
from curifactory.store.run import Run
from curifactory.store.runs import RunStore

LONGEST_TAG = 60


def annotate_run(
    project: Project,
    run: Run,
    *,
    notes: str | Callable[[str], str] | None = None,
    add_tags: Sequence[str] = (),
    remove_tags: Sequence[str] = (),
) -> Run:
    """Change notes and tags of a run, in its ``run.json``, the index and the pages; return it as it then is.

    Parameters
    ----------
    project : Project
        The project.
    run : Run
        The run; it may still go on.
    notes : str or callable, optional
        The new notes, or a function that is given those there are. Empty ones take them away.
    add_tags, remove_tags : sequence of str
        Tags that it is to have, and not to have.

    Raises
    ------
    ConfigurationError
        If a tag cannot be one.
    StoreError
        If ``run.json`` cannot be written.
    ReportError
        If the pages cannot be written; the run then has what was written on it all the same.
    """
    tags = [clean_tag(tag) for tag in add_tags]
    gone = [clean_tag(tag) for tag in remove_tags]
    with Index(Layout(project.cache_folder).index_path) as index:
        store = RunStore(project.runs_folder, index)
        changed = store.annotate(run, notes=notes, add_tags=tags, remove_tags=gone)
        draw_again(project, store, changed)
    return changed


def draw_again(project: Project, store: RunStore, run: Run) -> None:
    """Bring the report of a run, if it has one, and the index of reports up to date.

    Raises
    ------
    ReportError
        If they cannot be written.
    """
    from curifactory.reporting.index import update_index
    from curifactory.reporting.report import draw_report

    reports, css = project.reports_folder, project.report_css
    row = store.read_row(run.reference)
    # The report of a run that goes on is drawn at its end.
    is_drawn = (reports / run.reference / "index.html").is_file()
    if is_drawn and (row is None or not goes_on(row, datetime.now().astimezone())):
        draw_report(run.folder, reports, css=css)
    if (reports / "index.html").is_file():
        update_index(store, reports, css=css)


def join_notes(before: str, text: str) -> str:
    r"""Return notes with more below them.

    Examples
    --------
    >>> join_notes("First.", "Second."), join_notes("", "First.")
    ('First.\nSecond.', 'First.')
    """
    return f"{before.rstrip()}\n{text}" if before.strip() else text


def clean_tag(tag: str) -> str:
    """Return a tag as it is kept: one word, without the ``#`` that listings show before it.

    Raises
    ------
    ConfigurationError
        If it is empty, long, or not one word.

    Examples
    --------
    >>> clean_tag("#paper")
    'paper'
    >>> clean_tag("for the paper")
    Traceback (most recent call last):
    ...
    curifactory.errors.ConfigurationError: A tag cannot be 'for the paper'. A tag is one word, such as paper or for-the-paper.
    """
    word = tag.strip().removeprefix("#")
    if not word or not word.isprintable() or len(word) > LONGEST_TAG or any(sign in word for sign in " ,\"'"):
        raise ConfigurationError(
            f"A tag cannot be {tag!r}.", hint="A tag is one word, such as paper or for-the-paper."
        )
    return word
