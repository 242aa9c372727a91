"""The index of all runs: one page that a browser reads from disk, with its rows in a script beside it."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from curifactory.errors import ReportError
from curifactory.reporting.latest import LATEST, find_latest
from curifactory.reporting.pages import ASSETS, render_page
from curifactory.reporting.view.header import first_line
from curifactory.reporting.view.index import gather_index, read_row
from curifactory.reporting.view.results import HIGHER_IS_BETTER, LOWER_IS_BETTER

if TYPE_CHECKING:
    from curifactory.store.run_row import RunRow

INDEX_ASSETS = ("theme.css", "index.css", "index.js")
SHARED = "_assets"
DATA = "index-data.js"
FIELDS = (
    "started_at",
    "duration_s",
    "parameter_files",
    "commit",
    "branch",
    "dirty",
    "counts",
    "metrics",
    "notes",
    "tags",
    "command_line",
    "host",
    "python",
    "error",
)


def draw_index(rows: Iterable[RunRow], reports_folder: Path) -> Path:
    """Draw ``index.html`` with all runs, whether they have a report or not.

    The first rows stand in the page itself; a script shows all of them, searched, sorted, filtered and compared.

    Parameters
    ----------
    rows : iterable of RunRow
        The runs, newest first, as ``RunStore.iter_rows`` gives them.
    reports_folder : Path
        Where the reports lie; is made if it is missing.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    ReportError
        If it cannot be written.
    """
    runs = list(rows)
    try:
        assets = reports_folder / SHARED
        assets.mkdir(parents=True, exist_ok=True)
        for name in INDEX_ASSETS:
            _copy_changed(os.path.join(ASSETS, name), os.path.join(assets, name))
        reports = Reports(os.fspath(reports_folder))
        _replace(reports_folder / DATA, encode_data(runs, reports))
        view = gather_index(runs, reports.find, has_latest=find_latest(os.fspath(reports_folder)) is not None)
        page = render_page("index.html", view=view, latest=LATEST)
        _replace(reports_folder / "index.html", page.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise ReportError(
            f"The index of reports could not be written to {error.filename or reports_folder}: "
            f"{error.strerror or error}.",
            hint="The runs themselves are kept; `experiment report` draws the index again.",
        ) from error
    return reports_folder / "index.html"


class Reports:
    """Which runs have a report. Folders are renamed into place whole, so that their names are enough."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._names: dict[str, frozenset[str]] = {}

    def has(self, reference: str) -> bool:
        """Say whether a run has one."""
        above, _, name = reference.rpartition("/")
        names = self._names.get(above)
        if names is None:
            try:
                names = frozenset(os.listdir(os.path.join(self._folder, above)))
            except OSError:
                names = frozenset()
            self._names[above] = names
        return name in names

    def find(self, reference: str) -> str | None:
        """Give the address of a run's report from the index, or None."""
        return f"./{quote(reference)}/index.html" if self.has(reference) else None


def encode_data(rows: Iterable[RunRow], reports: Reports) -> bytes:
    """Write the rows as a script; the order of their fields is the one that ``index.js`` names.

    Ten thousand of them are written after each run: of their facts, which are text already, what the table shows is
    passed on as it is.
    """
    import msgspec

    read = _shown_facts_decoder().decode
    take, has_report = msgspec.structs.astuple, reports.has
    # Each row becomes bytes at once: ten thousand tuples would keep the garbage collector busy.
    encode = msgspec.json.Encoder().encode
    about: dict[str, str] = {}
    lines: list[bytes] = []
    for row in rows:
        experiment, reference = row.experiment, row.reference
        if experiment not in about:
            about[experiment] = first_line(read_row(row).get("experiment_doc"))
        head = (reference, experiment, row.number, row.outcome._value_, has_report(reference))
        try:
            lines.append(encode((*head, *take(read(row.summary)))))
        except (msgspec.MsgspecError, UnicodeEncodeError):
            lines.append(json.dumps([*head, *map(read_row(row).get, FIELDS)]).encode("ascii"))
    words = {"lower": LOWER_IS_BETTER.pattern, "higher": HIGHER_IS_BETTER.pattern}
    beginning = json.dumps({"about": about, "words": words}).encode("ascii")
    return b"".join(
        (b"window.curifactoryRuns=", beginning[:-1], b',"rows":[\n', b",\n".join(lines), b"\n]};\n")
    )


@functools.cache
def _shown_facts_decoder() -> Any:
    """Give what takes the fields of a row out of its text without reading what is in them."""
    import msgspec

    absent = msgspec.Raw(b"null")
    shown = msgspec.defstruct("ShownFacts", [(name, msgspec.Raw, absent) for name in FIELDS], gc=False)
    return msgspec.json.Decoder(shown)


def _copy_changed(source: str, target: str) -> None:
    with open(source, "rb") as stream:
        content = stream.read()
    try:
        with open(target, "rb") as stream:
            if stream.read() == content:
                return
    except FileNotFoundError:
        pass
    _replace(Path(target), content)


def _replace(path: Path, content: bytes) -> None:
    """Write a file so that a browser sees the old one or the new one, never a part."""
    partial = f"{path}.{os.getpid()}"
    try:
        with open(partial, "wb") as stream:
            stream.write(content)
        os.replace(partial, path)
    except OSError:
        if os.path.exists(partial):
            os.unlink(partial)
        raise
