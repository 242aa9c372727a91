"""A run as files for others: a zip that opens anywhere, or its report as one page."""

from __future__ import annotations

from pathlib import Path

from curifactory.publishing.archive import write_zip
from curifactory.publishing.parts import Published
from curifactory.publishing.single_page import render_single_page
from curifactory.publishing.whole_file import made_whole

_READ_ME = """{reference}

reports/index.html  opens in a browser, without a network: the run's report.
data/runs           the run itself, with every artifact. In Python, from this folder:

    import curifactory as cf
    run = cf.load_run("{reference}")

Pickles run code when they are loaded: load only what comes from somebody you trust.
"""


def write_bundle(published: Published, target: Path) -> Path:
    """Write a run as a zip file: its report with all that it shows, its folder, its artifacts.

    The same run gives the same bytes. Unpacked it is a project of its own, in which the run can be loaded.

    Parameters
    ----------
    published : Published
        The run.
    target : Path
        The file.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    reference = published.run.reference
    with published.workplace() as folder:
        content = folder / "content"
        published.draw_report(content / "reports")
        published.copy_run(content / "data" / "runs" / reference)
        (content / "README.txt").write_text(_READ_ME.format(reference=reference), encoding="utf-8")
        # What makes a folder a project, so that the run is found in it.
        (content / "pyproject.toml").write_text("[tool.curifactory]\n", encoding="utf-8")
        return write_zip(content, target, top=reference.replace("/", "_"))


def write_page(published: Published, target: Path) -> Path:
    """Write a run's report as one HTML file that needs no other file and no network.

    Parameters
    ----------
    published : Published
        The run.
    target : Path
        The file.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    with published.workplace() as folder:
        page = published.draw_report(folder / "reports")
        text = render_single_page(page, folder / "reports")
    with made_whole(target) as partial:
        partial.write_text(text, encoding="utf-8", errors="backslashreplace")
    return target
