"""The words of a command that does the same again, or asks what it would do."""

from __future__ import annotations

import shlex

from curifactory.workflow.request import RunRequest


def words_again(request: RunRequest) -> str:
    """Return the command for the same calls: the experiment, its sets, its sweep, and the cache that they lie in.

    How they were executed, such as on how many cores, is left out.

    Parameters
    ----------
    request : RunRequest
        What was asked for.

    Examples
    --------
    >>> words_again(RunRequest(experiment="iris", parameter_files=("wide",), changes=("n=10,50",), jobs=4))
    'experiment iris -p wide n=10,50'
    """
    short = request.command[:2] != ("experiment", "run")
    words = ["experiment", request.experiment] if short else ["experiment", "run", request.experiment]
    for flag, values in (
        ("-p", request.parameter_files),
        ("-n", request.names),
        ("--indices", request.indices),
        ("--global-indices", request.global_indices),
    ):
        words += [word for value in values for word in (flag, str(value))]
    words += request.changes
    if request.sweep != "product":
        words.append(f"--{request.sweep}")
    if request.repeat != 1:
        words += ["--repeat", str(request.repeat)]
    if request.use_best is not None:
        words += ["--use-best", request.use_best]
    words += ["--minimize"] if request.minimize else []
    for option, given in (
        ("--prefix", request.prefix),
        ("--cache", None if request.cache is None else str(request.cache)),
        ("--seed", None if request.seed is None else str(request.seed)),
    ):
        words += [] if given is None else [option, given]
    for flag, asked in (("--lazy", request.lazy), ("--ignore-lazy", request.ignore_lazy)):
        words += [flag] if asked else []
    return shlex.join(words)
