"""Parameter sets to JSON and back without loss: class path, field values, and tags for what JSON lacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curifactory.errors import ConfigurationError
from curifactory.parameters.shown import diff_sets, shown_set
from curifactory.parameters.tree_writer import TreeWriter

__all__ = ["diff_sets", "dump_set", "dump_value", "load_set", "shown_set"]

_NOTHING: Mapping[str, Any] = {}


def dump_set(params: Any) -> dict[str, Any]:
    """Write a parameter set as a tree of JSON values from which :func:`load_set` rebuilds it.

    Secrets are left out: values of fields and keys named like them, and credentials in URLs. Of what cannot be written
    without loss only the ``repr`` is kept. The paths of both are listed under ``not_stored``.

    Parameters
    ----------
    params : ExperimentParameters
        The set, or any other instance of a dataclass.

    Returns
    -------
    dict
        ``class`` (``module:Qualname``), ``fields``, ``others`` (what the instance holds besides) and ``not_stored``; the
        last two only where there is something to say.

    Examples
    --------
    >>> from curifactory.parameters.sets import ExperimentParameters
    >>> tree = dump_set(ExperimentParameters(name="small"))
    >>> tree["class"], tree["fields"]
    ('curifactory.parameters.sets:ExperimentParameters', {'name': 'small', 'hash': None, 'overwrite': False})
    """
    writer = TreeWriter()
    tree = writer.write_object(params, "")
    if writer.not_stored:
        tree["not_stored"] = writer.not_stored
    return tree


def dump_value(value: Any, *, name: str = "") -> Any:
    """Write one value as :func:`dump_set` writes the field of this name.

    Examples
    --------
    >>> dump_value((1, 2)), dump_value("hunter2", name="password")
    ({'$tuple': [1, 2]}, {'$secret': True})
    """
    return TreeWriter().write_entry(value, name, name)


def load_set(tree: Mapping[str, Any], *, values: Mapping[str, Any] = _NOTHING) -> Any:
    """Rebuild a parameter set from the tree that :func:`dump_set` made of it.

    The instance is filled as it was, without its ``__init__`` and ``__post_init__``. A field that its class has got since
    takes its default; so does a secret, which is never stored.

    Parameters
    ----------
    tree : mapping
        What ``dump_set`` returned, also after a journey through JSON.
    values : mapping of str to Any
        Values by path, for what the tree does not hold: secrets, and what could not be stored.

    Returns
    -------
    ExperimentParameters
        A set equal to the one that was written.

    Raises
    ------
    ConfigurationError
        With everything that is missing, each with its path: classes and functions that are gone, fields that their class
        no longer has or now demands, values that were not stored.

    Examples
    --------
    >>> from curifactory.parameters.sets import ExperimentParameters
    >>> load_set(dump_set(ExperimentParameters(name="small")))
    ExperimentParameters(name='small', hash=None, overwrite=False)
    """
    from curifactory.parameters.tree_reader import TreeReader

    reader = TreeReader(values)
    params = reader.read_object(tree, "")
    if reader.faults:
        fields = tree.get("fields") if isinstance(tree, Mapping) else None
        name = f" '{fields.get('name')}'" if isinstance(fields, Mapping) else ""
        listing = "".join(f"\n  {path or 'the set itself'}: {fault}" for path, fault in reader.faults)
        raise ConfigurationError(
            f"The parameter set{name} cannot be rebuilt:{listing}.",
            hint="Mend the classes, or give the missing values by path: load_set(tree, values={…}).",
        )
    return params
