"""What a notebook needs to draw figures of plotly by itself: the script of plotly, packed, and a few lines that use it."""

from __future__ import annotations

import base64
import functools
import gzip
import json
from pathlib import Path

from curifactory.reporting.pages import read_asset
from curifactory.reporting.shared_scripts import find_plotly

SCRIPT = "notebook.js"
MARK = "data-cf-figure="


def embed_script(html: str) -> str:
    """Add to HTML what draws its figures; HTML without figures stays as it is.

    Each output has a script of its own (1.9 MB): cells are run again, cleared and moved, so none can rely on another one.

    Parameters
    ----------
    html : str
        What a notebook shows.

    Returns
    -------
    str
        The same, with a script where figures are to be drawn and plotly is installed.

    Examples
    --------
    >>> embed_script("<p>no figure</p>")
    '<p>no figure</p>'
    """
    if MARK not in html:
        return html
    source = find_plotly()
    if source is None:
        return html
    packed = json.dumps(_pack(source))
    return f"{html}<script>window.curifactoryPacked ??= {packed};\n{read_asset(SCRIPT)}</script>"


@functools.cache
def _pack(source: str) -> str:
    # Always the same bytes: an output that has not changed is no change in a repository.
    packed = gzip.compress(Path(source).read_bytes(), compresslevel=6, mtime=0)
    return base64.b64encode(packed).decode("ascii")
