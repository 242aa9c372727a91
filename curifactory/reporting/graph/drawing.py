"""The drawing of a graph: made by ``dot`` or ``graphviz-pure`` in the background, then fitted for a page."""

from __future__ import annotations

import re
import shutil
import subprocess
import sysconfig
import threading
from typing import NamedTuple

LONGEST_WAIT_S = 20.0

_COMMENTS = re.compile(r"<!--.*?-->\n?", re.DOTALL)
_TITLES = re.compile(r"<title>[^<]*</title>\n?")
_ROOT = re.compile(r"<svg\b[^>]*>")
_VIEW_BOX = re.compile(r'viewBox="([-\d. ]+)"')
_IDS = re.compile(r'\bid="([^"]*)"')


class Drawing(NamedTuple):
    """A picture for a page: inline SVG and its size in CSS pixels."""

    svg: str
    width: int
    height: int


class Draftsman(threading.Thread):
    """Runs the layout program while the rest of the page is made.

    Parameters
    ----------
    dot : str
        The graph in Graphviz' language.
    """

    def __init__(self, dot: str) -> None:
        super().__init__(name="curifactory-graph", daemon=True)
        self._dot = dot
        self._drawing: Drawing | None = None
        self.start()

    def run(self) -> None:
        """Try the programs in turn until one has drawn it."""
        for program in find_programs():
            self._drawing = draw(program, self._dot)
            if self._drawing is not None:
                return

    def wait(self) -> Drawing | None:
        """Give the drawing, or None if no program is there, it failed, or it takes too long."""
        self.join(LONGEST_WAIT_S)
        return self._drawing


def find_programs() -> list[str]:
    """List the layout programs of this machine, the system's own ``dot`` first."""
    # The folder of scripts, too: an environment need not be activated to be used.
    scripts = sysconfig.get_path("scripts")
    found = (shutil.which("dot"), shutil.which("graphviz-pure"), shutil.which("graphviz-pure", path=scripts))
    return list(dict.fromkeys(program for program in found if program))


def draw(program: str, dot: str) -> Drawing | None:
    """Let a program draw a graph; None if it cannot."""
    try:
        process = subprocess.run(
            [program, "-Tsvg"],
            input=dot.encode("utf-8"),
            capture_output=True,
            timeout=LONGEST_WAIT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return fit_for_page(process.stdout.decode("utf-8", "replace"))


def fit_for_page(svg: str) -> Drawing | None:
    """Take the picture out of its document, without what a page has no use for.

    Examples
    --------
    >>> drawing = fit_for_page('<?xml version="1.0"?><svg width="8pt" viewBox="0 0 8.00 4.00"><g/></svg>')
    >>> drawing.width, drawing.height
    (11, 5)
    """
    start, root = svg.find("<svg"), _ROOT.search(svg)
    box = _VIEW_BOX.search(root.group(0)) if root else None
    if root is None or box is None:
        return None
    numbers = [float(number) for number in box.group(1).split()]
    # Graphviz counts in points, a page in pixels.
    width, height = round(numbers[2] * 4 / 3), round(numbers[3] * 4 / 3)
    # Titles would say `c3` to whoever points at a node; the links in it have better ones.
    body = _TITLES.sub("", _COMMENTS.sub("", svg[start:]))
    # Several pictures may stand in one page, and nothing refers to these.
    body = _IDS.sub("", body)
    opening = (
        f'<svg viewBox="{box.group(1)}" width="{width}" height="{height}" role="group" '
        'aria-label="Graph of the calls" xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
    )
    return Drawing(_ROOT.sub(lambda _: opening, body, count=1).strip(), width, height)
