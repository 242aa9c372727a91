"""What a run ran in: Python, the machine, installed packages with versions, and chosen environment variables."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from curifactory.core.secrets import MASK, mask_value

VARIABLES = (
    "BLIS_NUM_THREADS",
    "CONDA_DEFAULT_ENV",
    "CONDA_PREFIX",
    "CUBLAS_WORKSPACE_CONFIG",
    "CUDA_DEVICE_ORDER",
    "CUDA_LAUNCH_BLOCKING",
    "CUDA_VISIBLE_DEVICES",
    "HIP_VISIBLE_DEVICES",
    "LANG",
    "LC_ALL",
    "LOKY_MAX_CPU_COUNT",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "PYTHONHASHSEED",
    "PYTHONPATH",
    "ROCR_VISIBLE_DEVICES",
    "TZ",
    "VECLIB_MAXIMUM_THREADS",
    "VIRTUAL_ENV",
)
# What tells where a process runs and not how it computes.
_OF_THE_PLACE = frozenset(
    {
        "CONDA_DEFAULT_ENV",
        "CONDA_PREFIX",
        "CUDA_VISIBLE_DEVICES",
        "HIP_VISIBLE_DEVICES",
        "PYTHONPATH",
        "ROCR_VISIBLE_DEVICES",
        "VIRTUAL_ENV",
    }
)
_OF_SETTINGS = "CURIFACTORY_"
# Of a package's metadata: what nearly always has its name and version, and what has them if they are there at all.
_USUAL_BYTES, _MOST_BYTES = 256, 8192
PREFIXES = ("CURIFACTORY_", "LSB_JOB", "PBS_JOB", "SLURM_", "XLA_")


def read_environment(
    *, variables: Iterable[str] = (), environ: Mapping[str, str] | None = None, packages: bool = True
) -> dict[str, Any]:
    """Return what a run should know of its surroundings, as JSON values.

    Parameters
    ----------
    variables : iterable of str
        Names of environment variables to keep besides :data:`VARIABLES` and those that begin with :data:`PREFIXES`.
    environ : mapping, optional
        Environment to read; that of the process by default.
    packages : bool
        Whether to list the installed packages; reading them is most of the work (some milliseconds, once a process).

    Returns
    -------
    dict
        ``python``, ``implementation``, ``executable``, ``platform``, ``machine``, ``cpus`` (what this process may use),
        ``memory_bytes``, ``packages`` (name to version) and ``variables``, those named like secrets masked.

    Examples
    --------
    >>> environment = read_environment(environ={"OMP_NUM_THREADS": "1", "HOME": "/home/ann"}, packages=False)
    >>> environment["variables"]
    {'OMP_NUM_THREADS': '1'}
    """
    system = os.uname()
    found: dict[str, Any] = {
        "python": python_version(),
        "implementation": sys.implementation.name,
        "executable": sys.executable,
        "platform": f"{system.sysname} {system.release}",
        "machine": system.machine,
        "cpus": _count_cpus(),
        "memory_bytes": _memory_bytes(),
    }
    if packages:
        found["packages"] = read_packages()
    environ = os.environ if environ is None else environ
    found["variables"] = select_variables(environ, also=variables)
    return found


def python_version() -> str:
    """Return the version of the running Python, such as ``3.11.7`` or ``3.14.0rc1``.

    Examples
    --------
    >>> python_version().startswith("3.")
    True
    """
    return sys.version.partition(" ")[0]


def select_variables(environ: Mapping[str, str], *, also: Iterable[str] = ()) -> dict[str, str]:
    """Return the variables that can change a result or tell where it was made, sorted; secrets are masked.

    Examples
    --------
    >>> select_variables({"SLURM_JOB_ID": "7", "MY_TOKEN": "abc", "EDITOR": "vi"}, also=["MY_TOKEN"])
    {'MY_TOKEN': '********', 'SLURM_JOB_ID': '7'}
    """
    wanted = {*VARIABLES, *also}
    return {
        name: str(mask_value(name, environ[name]))
        for name in sorted(environ)
        if name in wanted or name.startswith(PREFIXES)
    }


def restore_variables(environ: Mapping[str, str], kept: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which the variables that can change a result are as a run has kept them.

    Parameters
    ----------
    environ : mapping
        The present environment.
    kept : mapping
        What :func:`select_variables` gave then. Masked ones, and those that tell where and not how, stay as they are now.

    Examples
    --------
    >>> now = {"OMP_NUM_THREADS": "8", "MKL_NUM_THREADS": "2", "HOME": "/home/ann"}
    >>> restore_variables(now, {"OMP_NUM_THREADS": "1", "VIRTUAL_ENV": "/elsewhere"})
    {'HOME': '/home/ann', 'OMP_NUM_THREADS': '1'}
    """
    changing = [name for name in VARIABLES if name not in _OF_THE_PLACE]
    restored = {
        name: value
        for name, value in environ.items()
        if name not in changing and not name.startswith(_OF_SETTINGS)
    }
    for name, value in kept.items():
        if name in changing or name.startswith(_OF_SETTINGS):
            if value != MASK:
                restored[name] = value
            elif name in environ:
                restored[name] = environ[name]
    return restored


def read_packages() -> dict[str, str]:
    """Return name and version of each installed package, sorted by name; read once for each ``sys.path``.

    Returns
    -------
    dict
        Where a package is installed twice, the version that an import would find.

    Examples
    --------
    >>> "blake3" in read_packages()
    True
    """
    return dict(_packages_on(tuple(sys.path)))


@lru_cache(maxsize=4)
def _packages_on(path: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, tuple[str, str]] = {}
    for entry in path:
        distributions = _read_archive(entry) if os.path.isfile(entry) else _read_folder(entry or os.curdir)
        for name, version in distributions:
            found.setdefault(name.lower().replace("_", "-").replace(".", "-"), (name, version))
    return {name: version for _, (name, version) in sorted(found.items())}


def _read_folder(folder: str) -> Iterator[tuple[str, str]]:
    """Give names and versions of the packages that are installed in one folder of ``sys.path``.

    Only the first lines of each package's metadata are read: ``importlib.metadata`` takes ten times as long, most of
    it for its own import and for parsing every header as an e-mail.
    """
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith((".dist-info", ".egg-info")))
    except OSError:
        return
    for name in names:
        place = f"{folder}/{name}"
        if name.endswith(".dist-info"):
            place += "/METADATA"
        elif os.path.isdir(place):
            place += "/PKG-INFO"
        try:
            # There are hundreds of them, and a file object takes longer to make than to read.
            descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            package = _parse_head(os.read(descriptor, _USUAL_BYTES)) or _parse_head(
                os.pread(descriptor, _MOST_BYTES, 0) + b"\n"
            )
        except OSError:
            continue
        finally:
            os.close(descriptor)
        if package is not None:
            yield package


def _parse_head(head: bytes) -> tuple[str, str] | None:
    name = version = ""
    # The last line may have been cut.
    for line in head.split(b"\n")[:-1]:
        if not line or line == b"\r":
            break
        if line.startswith(b"Name:") and not name:
            name = line[5:].decode("utf-8", "replace").strip()
        elif line.startswith(b"Version:") and not version:
            version = line[8:].decode("utf-8", "replace").strip()
        if name and version:
            return name, version
    return None


def _read_archive(archive: str) -> Iterator[tuple[str, str]]:
    """Give names and versions of the packages in a zip file on ``sys.path``."""
    from importlib import metadata

    for distribution in metadata.distributions(path=[archive]):
        name = distribution.metadata["Name"]
        if name:
            yield name, distribution.version


def _count_cpus() -> int:
    # Schedulers and containers give a process fewer cores than the machine has.
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None
