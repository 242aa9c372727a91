"""``ExperimentParameters``: the base of all parameter sets, and the check of what ``get_params()`` returned."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, is_dataclass
from typing import Any, ClassVar

from curifactory.errors import ConfigurationError, DefinitionError, HashFunctionsError
from curifactory.parameters.annotations import annotations_of, find_undeclared

HashFunction = Callable[[Any, Any], Any]

#: The attribute of a set that says which repetition it is; 0 is no part of its identity.
REPEAT = "repeat_index"
_HASH_LENGTH = 32


@dataclass
class ExperimentParameters:
    """The base of all parameter sets: subclass it with ``@dataclass`` and add fields.

    Parameters
    ----------
    name : str
        What people call the set. Unique among the sets of an experiment; not part of its hash.
    hash : str, optional
        Stands in file names in place of the computed hash. It never decides what is reused.
    overwrite : bool
        Whether what is stored for this set is ignored and made again.
    hash_representations : dict of str to function or None
        How fields count in the set's identity: None leaves a field out, a function ``(set, value) -> any`` stands its
        result in the value's place. Best written with :func:`set_hash_functions`. A subclass that declares it anew
        replaces what its parent said, as with any other field.

    Examples
    --------
    >>> @dataclass
    ... class MyParams(ExperimentParameters):
    ...     some_scalar_multiplier: float = 1.0
    >>> MyParams(name="default")
    MyParams(name='default', hash=None, overwrite=False, some_scalar_multiplier=1.0)
    >>> MyParams(name="a").params_hash() == MyParams(name="b").params_hash()
    True
    """

    __framework_fields__: ClassVar[frozenset[str]] = frozenset(
        {"name", "hash", "overwrite", "hash_representations"}
    )

    #: Which repetition of a sweep this set is, from 0. Only sets that are repeated have one of their own.
    repeat_index: ClassVar[int] = 0

    name: str = "UNNAMED"
    hash: str | None = None
    overwrite: bool = False
    hash_representations: dict[str, HashFunction | None] = field(default_factory=dict, repr=False)

    def params_hash(self, dry: bool = False) -> Any:
        """Compute the hash of the set, or show what goes into it. Nothing is written into the set.

        Parameters
        ----------
        dry : bool
            Return how each field counts, in place of the hash.

        Returns
        -------
        str or dict
            32 hexadecimal digits; with ``dry`` a dictionary by field.

        Raises
        ------
        DefinitionError
            If the class adds fields without ``@dataclass``.
        UnidentifiableError
            If a value has no identity that would be the same in another process.
        """
        # Only when it is asked for: parameter files are also imported by commands that just list them.
        from curifactory.identity.parameters import describe_set, set_digest

        check_class(type(self))
        return describe_set(self) if dry else set_digest(self)[:_HASH_LENGTH]

    def file_hash(self) -> str:
        """Return the hash that stands in the names of the set's files: the preset one, else the computed one.

        Raises
        ------
        UnidentifiableError
            If nothing is preset and a value has no identity.

        Examples
        --------
        >>> ExperimentParameters(hash="tuesday").file_hash()
        'tuesday'
        """
        if self.hash is not None:
            return self.hash
        computed: str = self.params_hash()
        return computed


def set_hash_functions(*args: dict[str, HashFunction | None], **kwargs: HashFunction | None) -> Any:
    """Say how fields count in the identity of a set; the right-hand side of ``hash_representations``.

    Parameters
    ----------
    *args : dict
        At most one dictionary of field names to functions ``(set, value) -> any`` or None (leave the field out).
    **kwargs : function or None
        The same by keyword; these win.

    Returns
    -------
    dataclasses.Field
        A field whose factory makes the dictionary.

    Raises
    ------
    HashFunctionsError
        If what was given is no dictionary, or a value is neither None nor callable. It is a ``ValueError`` too.

    Examples
    --------
    >>> @dataclass
    ... class MyParams(ExperimentParameters):
    ...     n: int = 1
    ...     verbose: bool = False
    ...     hash_representations: dict = set_hash_functions(verbose=None)
    >>> MyParams(verbose=True).params_hash() == MyParams().params_hash()
    True
    """
    if len(args) > 1:
        raise HashFunctionsError(
            f"set_hash_functions takes at most one dictionary and was given {len(args)} values.",
            hint="Write set_hash_functions({'a': None}, b=None).",
        )
    if args and not isinstance(args[0], dict):
        raise HashFunctionsError(
            f"set_hash_functions was given {args[0]!r} where it takes a dictionary.",
            hint="Write set_hash_functions({'a': None}) or set_hash_functions(a=None).",
        )
    functions = {**(args[0] if args else {}), **kwargs}
    for name, function in functions.items():
        if function is not None and not callable(function):
            raise HashFunctionsError(
                f"set_hash_functions was given {function!r} for '{name}', which is neither None nor a function.",
                hint="None leaves the field out; a function takes the set and the value.",
            )
    return field(default_factory=lambda: dict(functions), repr=False)


def check_class(cls: type) -> None:
    """Refuse a parameter class that forgot ``@dataclass``, or the type of a default: either would silently be nothing.

    Raises
    ------
    DefinitionError
        With the name of the class and of the fields.

    Examples
    --------
    >>> class Forgot(ExperimentParameters):
    ...     n: int = 1
    >>> check_class(Forgot)
    Traceback (most recent call last):
    curifactory.errors.DefinitionError: The parameter class Forgot has fields (n) but is no dataclass. Add @dataclass above 'class Forgot'.
    """
    for name, owner in find_undeclared(cls) if issubclass(cls, ExperimentParameters) else ():
        raise DefinitionError(
            f"The parameter class {owner} gives '{name}' a value without a type, which Python takes for no default.",
            hint=f"Write '{name}: … = …' in 'class {owner}'.",
        )
    for base in cls.__mro__:
        if base is ExperimentParameters:
            return
        forgotten = [] if "__dataclass_fields__" in vars(base) else _list_annotated(base)
        if forgotten and issubclass(base, ExperimentParameters):
            raise DefinitionError(
                f"The parameter class {base.__name__} has fields ({', '.join(forgotten)}) but is no dataclass.",
                hint=f"Add @dataclass above 'class {base.__name__}'.",
            )


def check_sets(sets: Any, *, source: str) -> list[ExperimentParameters]:
    """Check what ``get_params()`` of a parameter file returned.

    Parameters
    ----------
    sets : Any
        Should be a list (or tuple) of parameter sets with names of their own.
    source : str
        Where they come from, such as ``params/iris.py``; begins the message.

    Returns
    -------
    list of ExperimentParameters
        The sets, in their order.

    Raises
    ------
    ConfigurationError
        With everything that is wrong, each with its place.

    Examples
    --------
    >>> check_sets([ExperimentParameters(name="a"), 5], source="params/iris.py")
    Traceback (most recent call last):
    curifactory.errors.ConfigurationError: params/iris.py: get_params() returned at [1] a value of type int (5), which is no parameter set. Return a list of instances of a dataclass that derives from ExperimentParameters.
    """
    hint = "Return a list of instances of a dataclass that derives from ExperimentParameters."
    if not isinstance(sets, (list, tuple)):
        said = "nothing (it has no return)" if sets is None else f"{_describe(sets)} where a list is expected"
        if isinstance(sets, ExperimentParameters):
            hint = f"Write return [{type(sets).__name__}(…)]."
        raise ConfigurationError(f"{source}: get_params() returned {said}.", hint=hint)
    if not sets:
        raise ConfigurationError(f"{source}: get_params() returned an empty list.", hint=hint)
    for cls in dict.fromkeys(type(each) for each in sets if isinstance(each, ExperimentParameters)):
        try:
            check_class(cls)
        except DefinitionError as error:
            # It is no fault of one set, and has a remedy of its own.
            raise ConfigurationError(f"{source}: {error.message}", hint=error.hint) from None
    found = [_find_fault(candidate) for candidate in sets]
    faults = [f"at [{position}] {fault}" for position, fault in enumerate(found) if fault is not None]
    sound = [
        (f"[{position}]", params)
        for position, (fault, params) in enumerate(zip(found, sets, strict=True))
        if fault is None
    ]
    duplicates = find_duplicate_names(sound)
    if duplicates and not faults:
        hint = "Give each set a name of its own, as in Params(name='small')."
    faults += duplicates
    if len(faults) == 1:
        raise ConfigurationError(f"{source}: get_params() returned {faults[0]}.", hint=hint)
    if faults:
        listing = "".join(f"\n  {fault}" for fault in faults)
        raise ConfigurationError(f"{source}: get_params() returned{listing}.", hint=hint)
    return list(sets)


def find_duplicate_names(placed: Iterable[tuple[str, ExperimentParameters]]) -> list[str]:
    """Say which names stand for more than one set.

    Parameters
    ----------
    placed : iterable of (str, ExperimentParameters)
        Each set with the place that a person would look at.

    Returns
    -------
    list of str
        One sentence part for each name that is not unique, with all of its places.

    Examples
    --------
    >>> find_duplicate_names(
    ...     [("[0]", ExperimentParameters(name="a")), ("[2]", ExperimentParameters(name="a"))]
    ... )
    ["two sets named 'a', at [0] and [2]"]
    """
    places: dict[str, list[str]] = {}
    for place, params in placed:
        places.setdefault(params.name, []).append(place)
    return [
        f"{'two' if len(at) == 2 else len(at)} sets named '{name}', at {', '.join(at[:-1])} and {at[-1]}"
        for name, at in places.items()
        if len(at) > 1
    ]


def file_hash_of(params: Any) -> str:
    """Return the hash that stands in the names of a set's files, of whatever library its class is.

    Examples
    --------
    >>> file_hash_of(ExperimentParameters(hash="tuesday"))
    'tuesday'
    """
    preset = getattr(params, "hash", None)
    if isinstance(preset, str) and preset:
        return preset
    from curifactory.identity.parameters import set_digest

    check_class(type(params))
    return set_digest(params)[:_HASH_LENGTH]


def is_foreign(candidate: Any) -> bool:
    """Say whether a value is an instance of an attrs class or a pydantic model, which may be a set, too.

    Examples
    --------
    >>> is_foreign(ExperimentParameters()), is_foreign(5)
    (False, False)
    """
    cls = type(candidate)
    return hasattr(cls, "__attrs_attrs__") or hasattr(cls, "__pydantic_fields__")


def _find_fault(candidate: Any) -> str | None:
    if is_foreign(candidate) and not isinstance(candidate, ExperimentParameters):
        named = getattr(candidate, "name", None)
        if isinstance(named, str) and named:
            return None
        return (
            f"{_describe(candidate)}: its class has no field 'name' with a text, by which sets are told apart"
        )
    if not isinstance(candidate, ExperimentParameters):
        said = f"{_describe(candidate)}, which is no parameter set"
        if is_dataclass(candidate) and not isinstance(candidate, type):
            said += ": its class does not derive from ExperimentParameters"
        return said
    if not isinstance(candidate.name, str) or not candidate.name:
        return f"a set whose name is {candidate.name!r}, which is no text"
    if candidate.hash is not None and (not isinstance(candidate.hash, str) or not candidate.hash):
        return f"the set '{candidate.name}' whose hash is {candidate.hash!r}, which is no text"
    return None


def _describe(value: Any) -> str:
    if isinstance(value, type):
        return f"the class {value.__name__} itself (are the parentheses missing?)"
    text = repr(value)
    shown = f" ({text})" if len(text) <= 60 else ""
    return f"a value of type {type(value).__name__}{shown}"


def _list_annotated(cls: type) -> list[str]:
    return [name for name, annotation in annotations_of(cls).items() if "ClassVar" not in str(annotation)]
