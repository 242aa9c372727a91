"""``Project``: the folder that a person works in, with its settings, experiments and parameter sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curifactory.core.nearest import join_names
from curifactory.errors import ConfigurationError, CurifactoryError, DiscoveryError
from curifactory.project import listing, loading, parameter_files
from curifactory.project.listing import GET_PARAMS, Listed
from curifactory.project.loading import LoadedExperiment
from curifactory.project.parameter_files import ParameterFile
from curifactory.project.root import find_root
from curifactory.project.selection import CollectedSets, SelectedSet, select
from curifactory.project.settings import Settings
from curifactory.project.sources import read_settings

if TYPE_CHECKING:
    from curifactory.identity.project_scope import Scope
    from curifactory.parameters.sets import ExperimentParameters


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with experiments, and everything that is asked of it.

    Parameters
    ----------
    root : Path
        The folder; absolute.
    settings : Settings
        With absolute paths.
    sources : mapping of str to str
        Where each setting's value comes from.
    parameter_modules : tuple of str
        The modules that were imported for the parameters of a run, in this order.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     project = Project.find(Path(folder))
    ...     project.cache_folder.relative_to(project.root).as_posix()
    'data/cache'
    """

    root: Path
    settings: Settings
    sources: Mapping[str, str]
    parameter_modules: tuple[str, ...] = ()

    @classmethod
    def find(cls, start: Path | None = None, *, overrides: Mapping[str, Any] | None = None) -> Project:
        """Find the project that a folder lies in and read its settings.

        Parameters
        ----------
        start : Path, optional
            Where to begin; the working folder if None.
        overrides : mapping of str to Any, optional
            Settings that win over all others, such as ``{"cache_path": folder}``.

        Raises
        ------
        ConfigurationError
            If settings cannot be read, are unknown or of the wrong type.
        """
        root = find_root(start)
        loaded = read_settings(root, overrides=overrides)
        return cls(root, loaded.settings, loaded.sources)

    @property
    def experiments_folder(self) -> Path:
        """Where experiments lie."""
        return self.root.joinpath(*self.settings.experiments_module_name.split("."))

    @property
    def params_folder(self) -> Path:
        """Where parameter files lie."""
        return self.root.joinpath(*self.settings.params_module_name.split("."))

    @property
    def cache_folder(self) -> Path:
        """Where artifacts lie."""
        return self.settings.cache_path

    @property
    def data_folder(self) -> Path:
        """Where everything lies that runs keep."""
        return self.settings.manager_cache_path

    @property
    def runs_folder(self) -> Path:
        """Where the folders of runs lie."""
        return self.settings.runs_path

    @property
    def reports_folder(self) -> Path:
        """Where reports lie."""
        return self.settings.reports_path

    @property
    def report_css(self) -> Path | None:
        """The style sheet that reports take on top of theirs; None if there is none."""
        return self.settings.report_css_path if self.settings.report_css_path.is_file() else None

    def scope_of(self, experiment: str) -> Scope:
        """Return whose code counts in a run of an experiment; an empty name is that of none."""
        from curifactory.identity.project_scope import Scope

        entrances: tuple[str, ...] = ()
        if experiment:
            own = f"{self.settings.experiments_module_name}.{experiment}"
            entrances = tuple(dict.fromkeys((own, *self.parameter_modules)))
        return Scope(self.root, tuple(self.settings.fingerprint), entrances)

    def list_experiments(self) -> list[Listed]:
        """List the experiments by name, without importing any."""
        return listing.list_experiments(self.experiments_folder, root=self.root)

    def list_parameter_files(self) -> list[Listed]:
        """List the files with a ``get_params`` by name, without importing any."""
        return listing.list_parameter_files(self.params_folder, self.experiments_folder, root=self.root)

    def load_experiment(self, name: str) -> LoadedExperiment:
        """Import an experiment.

        Raises
        ------
        DiscoveryError
            If there is no such experiment, it cannot be loaded, or it has no ``run``.
        DefinitionError
            If ``run`` cannot be called with parameter sets and a manager, or a stage is badly written.
        """
        package = self.settings.experiments_module_name
        return loading.load_experiment(name, root=self.root, package=package, packages=self._packages)

    def load_sets(self, name: str) -> list[ExperimentParameters]:
        """Import a parameter file, or an experiment with a ``get_params()``, and return its sets.

        Raises
        ------
        DiscoveryError
            If there is no such file, or it cannot be loaded.
        ConfigurationError
            If ``get_params()`` returned no list of sets, or two sets have one name.
        """
        found = self._get_parameter_file(name)
        return parameter_files.load_sets(found, root=self.root, packages=self._packages)

    def import_parameters(self, name: str) -> str | None:
        """Import a parameter file without asking it for sets, and return its module's name; None of one in YAML.

        Raises
        ------
        DiscoveryError
            If there is no such file, or it cannot be loaded.
        """
        found = self._get_parameter_file(name)
        if not found.module_name:
            return None
        return parameter_files.import_parameters(found, root=self.root, packages=self._packages).__name__

    def collect_sets(
        self,
        experiment: LoadedExperiment,
        *,
        files: Sequence[str] = (),
        names: Sequence[str] = (),
        indices: Sequence[str] = (),
        global_indices: Sequence[str] = (),
    ) -> CollectedSets:
        """Call ``get_params()`` of parameter files and return the sets that are asked for, and what was imported for them.

        Parameters
        ----------
        experiment : LoadedExperiment
            Gives the sets itself where no file is named; if it does not, the parameter file of its name does.
        files : sequence of str
            Names of parameter files or experiments; one that is named twice counts once.
        names, indices, global_indices : sequence of str
            Conditions; see `select`.

        Raises
        ------
        DiscoveryError
            If a file, name or position does not exist, or a file cannot be loaded.
        ConfigurationError
            If ``get_params()`` returned no list of sets, or two sets have one name.
        """
        from curifactory.parameters.sets import find_duplicate_names

        found = self._parameter_files(experiment, files)
        groups: list[list[SelectedSet]] = []
        modules: dict[str, None] = {}
        for each in found:
            sets = parameter_files.load_sets(each, root=self.root, packages=self._packages)
            groups.append([SelectedSet(params, each.shown) for params in sets])
            # For one in YAML the modules of its classes were imported.
            modules |= dict.fromkeys(
                [each.module_name] if each.module_name else [type(params).__module__ for params in sets]
            )
        selected = select(groups, names=names, indices=indices, global_indices=global_indices)
        duplicates = find_duplicate_names((each.file, each.params) for each in selected)
        if duplicates:
            raise ConfigurationError(
                f"The parameter files together have {' and '.join(duplicates)}.",
                hint="Give each set a name of its own, or pick sets with --indices or --global-indices.",
            )
        return CollectedSets(selected, tuple(modules))

    @property
    def _packages(self) -> tuple[str, str]:
        return self.settings.experiments_module_name, self.settings.params_module_name

    def _get_parameter_file(self, name: str) -> ParameterFile:
        experiments, params = self._packages
        return parameter_files.get_parameter_file(
            name, root=self.root, params=params, experiments=experiments
        )

    def _parameter_files(self, experiment: LoadedExperiment, files: Sequence[str]) -> list[ParameterFile]:
        experiments, params = self._packages
        if files:
            found = [self._get_parameter_file(name) for name in dict.fromkeys(files)]
            return list({each.file: each for each in found}.values())
        if hasattr(experiment.module, GET_PARAMS):
            own = ParameterFile(
                experiment.name,
                f"{experiments}.{experiment.name}",
                experiment.file,
                listing.show_path(experiment.file, self.root),
            )
            return [own]
        same = parameter_files.find_parameter_file(
            experiment.name, root=self.root, params=params, experiments=experiments
        )
        if same is not None and same.file != experiment.file:
            return [same]
        raise self._without_parameters(experiment)

    def _without_parameters(self, experiment: LoadedExperiment) -> CurifactoryError:
        known = [each.name for each in self.list_parameter_files() if each.error is None]
        if known:
            hint = f"Name a parameter file with -p: there {'is' if len(known) == 1 else 'are'} {join_names(known, 'and')}."
        else:
            hint = "Write: def get_params(): return [Params(name='first'), …]"
        folder = listing.show_path(self.params_folder, self.root)
        file = f"{folder}/{experiment.name.replace('.', '/')}.py"
        return DiscoveryError(
            f"Experiment '{experiment.name}' has no parameters: neither a get_params() nor {file}.", hint=hint
        )
