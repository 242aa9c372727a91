"""``LatexTableReporter``: a data frame as the text of a LaTeX table, to be copied into a paper."""

from __future__ import annotations

import os
from typing import Any

from curifactory.core.trace import Fragment
from curifactory.errors import ReportError
from curifactory.reporting.reportables.reportable import Reportable


class LatexTableReporter(Reportable):
    r"""Show a data frame as LaTeX, with a button that copies it and a file beside it.

    Parameters
    ----------
    df : pandas.DataFrame
        The table.
    name, group : str, optional
        See :class:`~curifactory.reporting.Reportable`. ``caption`` is one of LaTeX's own, see below.
    **to_latex_kwargs
        Go to ``DataFrame.style.to_latex``, such as ``hrules=True``, ``label="tab:scores"``. A ``caption`` goes there and
        below the text in the report, too.

    Examples
    --------
    >>> import pandas as pd, tempfile
    >>> table = LatexTableReporter(pd.DataFrame({"n": [1, 2]}), name="sizes", hrules=True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table.to_fragment(folder=folder, name="sizes").data["text"].splitlines()[:3]
    ['\\begin{tabular}{lr}', '\\toprule', ' & n \\\\']
    """

    def __init__(
        self, df: Any, name: str | None = None, group: str | None = None, **to_latex_kwargs: Any
    ) -> None:
        caption = to_latex_kwargs.get("caption")
        super().__init__(name, group, caption[0] if isinstance(caption, tuple) else caption)
        self.df = df
        self.to_latex_kwargs = to_latex_kwargs

    def to_fragment(self, folder: str, name: str) -> Fragment:
        """Become text, and a ``.tex`` file.

        Raises
        ------
        ReportError
            If it is no data frame of pandas.
        """
        frame = self.df.to_frame() if hasattr(self.df, "to_frame") else self.df
        if not hasattr(frame, "style"):
            raise ReportError(
                f"LatexTableReporter was given {type(self.df).__name__}, not a data frame of pandas.",
                hint="Put it into one with pandas.DataFrame(…).",
            )
        text = frame.style.to_latex(**self.to_latex_kwargs)
        file = f"{name}.tex"
        with open(os.path.join(folder, file), "w", encoding="utf-8") as stream:
            stream.write(text)
        return self._fragment(name, "latex", {"text": text}, (file,))
