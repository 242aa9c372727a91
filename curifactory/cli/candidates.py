"""What a word on the command line can be: experiments, parameter files, sets, stages, runs, fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from curifactory.project.project import Project
    from curifactory.store.run_row import RunRow

_MOST_RUNS = 100
_NUMBER_AND_TIME = re.compile(r"_(\d+)_(\d{4}-\d\d-\d\d-T\d{6})$")

Candidate = tuple[str, str]


class Candidates:
    """Finds candidates without importing people's code; what cannot be read has none.

    Parameters
    ----------
    project : Project
        Where to look.
    words : mapping of str to Any
        What has been typed so far, by the names of options and arguments.
    begun : str
        What there is of the word.
    """

    def __init__(self, project: Project, words: Mapping[str, Any], begun: str = "") -> None:
        self._project = project
        self._words = words
        self._begun = begun

    def experiments(self) -> Iterator[Candidate]:
        """Give the experiments with the first line of their docstrings."""
        for listed in self._project.list_experiments():
            yield listed.name, listed.doc

    def parameter_files(self) -> Iterator[Candidate]:
        """Give the parameter files."""
        for listed in self._project.list_parameter_files():
            yield listed.name, listed.doc

    def sets(self) -> Iterator[Candidate]:
        """Give the names of sets: those that stand in the files, and those of the experiment's last run."""
        from curifactory.project.listing import YAML, show_path
        from curifactory.project.reading import Reading
        from curifactory.project.yaml_reading import list_tree_names

        reading = Reading(self._project.root)
        for file in self._set_files():
            names = list_tree_names(file) if file.suffix in YAML else reading.list_set_names(file)
            for name in names:
                yield name, ""
        files = {show_path(file, self._project.root) for file in self._set_files()}
        for each in self._read_last("parameters.json", []):
            if not self._words.get("params") or each.get("file") in files:
                yield str(each.get("name") or ""), ""

    def stages(self) -> Iterator[Candidate]:
        """Give the names of stages that the experiment can call."""
        from curifactory.project.reading import Reading

        reading = Reading(self._project.root)
        name = self._experiment
        files = [listed.file for listed in self._project.list_experiments() if name in (None, listed.name)]
        for file in files:
            for stage in reading.list_stages(file):
                yield stage, ""

    def fields(self) -> Iterator[Candidate]:
        """Give the fields of the parameter sets, each with ``=`` behind it, and with every value that it allows."""
        from curifactory.project.listing import YAML
        from curifactory.project.reading import Reading
        from curifactory.project.yaml_reading import find_tree_choices

        reading = Reading(self._project.root)
        for file in self._set_files():
            of_file = find_tree_choices if file.suffix in YAML else Reading.find_choices
            for name, choices in of_file(reading, file).items():
                yield f"{name}=", ""
                yield from ((f"{name}={choice}", "") for choice in choices)

    def runs(self) -> Iterator[Candidate]:
        """Give the references of runs, newest first."""
        from curifactory.store.run_folders import iter_names

        found = [
            (match[2], int(match[1]), name)
            for name in iter_names(self._project.runs_folder)
            if (match := _NUMBER_AND_TIME.search(name))
        ]
        for _, _, name in sorted(found, reverse=True):
            yield name, ""

    def tags(self) -> Iterator[Candidate]:
        """Give the tags that runs have, those of the newest first."""
        for row in self._rows():
            for tag in row.tags:
                yield tag, ""

    def keys(self) -> Iterator[Candidate]:
        """Give what runs can be sorted by: metrics and parameters of the newest, and facts that all runs have."""
        from curifactory.workflow.runs.run_values import FACTS

        for row in self._rows(limit=_MOST_RUNS):
            for name in row.facts.get("metrics") or ():
                yield name, "metric"
            for name in row.facts.get("parameters") or ():
                yield f"params.{name}", "parameter"
        for name in FACTS:
            yield name, "fact"

    def columns(self) -> Iterator[Candidate]:
        """Give lists of what runs can show: what has been typed of one, and each key behind its last comma."""
        typed, comma, _ = self._begun.rpartition(",")
        for name, told in self.keys():
            yield f"{typed}{comma}{name}", told

    def executors(self) -> Iterator[Candidate]:
        """Give the words for who executes calls."""
        yield from (("serial", "one call at a time, in this process"), ("processes", "as -j does"))
        yield "dask", "a cluster of this machine's own"

    def examples(self) -> Iterator[Candidate]:
        """Give the examples that a project can begin with."""
        from curifactory.project.examples import list_examples

        yield from ((name, "") for name in list_examples())

    def _rows(self, limit: int | None = None) -> list[RunRow]:
        from curifactory.store.index import Index
        from curifactory.store.layout import Layout
        from curifactory.store.runs import RunStore

        with Index(Layout(self._project.cache_folder).index_path, read_only=True) as index:
            return RunStore(self._project.runs_folder, index).iter_rows(self._experiment, limit=limit)

    @property
    def _experiment(self) -> str | None:
        name = self._words.get("name")
        return name if isinstance(name, str) and name else None

    def _set_files(self) -> list[Path]:
        wanted = list(self._words.get("params") or ()) or ([self._experiment] if self._experiment else [])
        files = {listed.name: listed.file for listed in self._project.list_parameter_files()}
        experiments = {listed.name: listed.file for listed in self._project.list_experiments()}
        found = [files.get(name) or experiments.get(name) for name in wanted]
        # An experiment may give its sets itself although a parameter file has its name.
        if not self._words.get("params") and self._experiment in experiments:
            found.append(experiments[self._experiment])
        return list(dict.fromkeys(file for file in found if file is not None))

    def _read_last(self, document: str, otherwise: Any) -> Any:
        """Read a document of the experiment's latest run."""
        import json

        from curifactory.store.run_folders import iter_references

        if self._experiment is None:
            return otherwise
        last = max(
            iter_references(self._project.runs_folder, self._experiment),
            key=lambda reference: reference.number,
            default=None,
        )
        if last is not None:
            with suppress(OSError, ValueError):
                text = Path(self._project.runs_folder, str(last), document).read_text(encoding="utf-8")
                return json.loads(text)
        return otherwise


def find_candidates(kind: str, words: Mapping[str, Any], begun: str) -> list[Candidate]:
    """Return what a word can be, each once.

    Parameters
    ----------
    kind : str
        Name of a method of :class:`Candidates`.
    words : mapping of str to Any
        What has been typed so far.
    begun : str
        What there is of the word.
    """
    from curifactory.errors import CurifactoryError
    from curifactory.project.project import Project

    # A shell that waits for words cannot show why there are none.
    with suppress(CurifactoryError, OSError):
        found: Callable[[], Iterable[Candidate]] = getattr(Candidates(Project.find(), words, begun), kind)
        fitting = {name: told for name, told in found() if name and name.startswith(begun)}
        if kind == "fields" and "=" not in begun:
            # Values are a choice of their own, after the name.
            fitting = {name: told for name, told in fitting.items() if name.endswith("=")}
        return list(fitting.items())[: _MOST_RUNS if kind == "runs" else None]
    return []
