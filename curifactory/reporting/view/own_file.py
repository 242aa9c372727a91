"""Files that stages write by themselves: the names that their stages gave them."""

from __future__ import annotations

import re
from functools import lru_cache


def name_given(name: str, type: str, stage: str) -> str:
    """Return what a stage has called a file, without experiment, hash and stage, which its whole name begins with.

    Parameters
    ----------
    name : str
        Of the output.
    type : str
        Of the output: ``file`` if the stage has written it by itself.
    stage : str
        Name of the stage.

    Examples
    --------
    >>> name_given("iris_0f9a23c1d0e5b7744c1ab02fd8e3aa19_plot_scores.png", "file", "plot")
    'scores.png'
    >>> name_given("scores", "dict", "plot")
    'scores'
    """
    return (_beginning(stage).sub("", name) or name) if type == "file" else name


@lru_cache(maxsize=256)
def _beginning(stage: str) -> re.Pattern[str]:
    return re.compile(rf"^.*_(?:[0-9a-f]{{32}}|None)_{re.escape(stage)}_", re.DOTALL)
