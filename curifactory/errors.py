"""Every error that curifactory raises: one root, one child for each phase, each with its exit code."""

from __future__ import annotations

from enum import IntEnum


def say(error: BaseException) -> str:
    """Return kind and text of an exception, as one line of a message has them.

    Parameters
    ----------
    error : BaseException
        Anybody's: it may say nothing at all, or raise when it is asked to.

    Examples
    --------
    >>> say(ValueError("no data")), say(MemoryError())
    ('ValueError: no data', 'MemoryError')
    """
    try:
        text = str(error)
    except Exception as fault:  # noqa: BLE001 - that it cannot say what it is must cost nothing else
        text = f"its text cannot be shown, since __str__ raised {type(fault).__name__}"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


class ExitCode(IntEnum):
    """What the ``experiment`` command says to the shell when it ends.

    Examples
    --------
    >>> int(ExitCode.WRONG_USE)
    2
    """

    COMPLETE = 0
    FAILED = 1
    WRONG_USE = 2
    PARTLY_FAILED = 3
    INTERRUPTED = 130


class CurifactoryError(Exception):
    """The root of all errors that this package raises on purpose.

    Parameters
    ----------
    message : str
        What went wrong, where, and why.
    hint : str, optional
        What the person can do about it.

    Examples
    --------
    >>> error = CurifactoryError("No experiment named 'irs'.", hint="Did you mean 'iris'?")
    >>> str(error)
    "No experiment named 'irs'. Did you mean 'iris'?"
    """

    exit_code: ExitCode = ExitCode.FAILED

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message


class ConfigurationError(CurifactoryError):
    """A setting, a flag or a parameter has a value that cannot be used."""

    exit_code = ExitCode.WRONG_USE


class ParameterError(ConfigurationError):
    """Parameters cannot be changed, read or used as they are; all faults are told at once.

    Parameters
    ----------
    message, hint
        As in :class:`CurifactoryError`.
    faults : tuple of (str, str)
        Path and sentence of each fault.
    """

    def __init__(
        self, message: str, *, hint: str | None = None, faults: tuple[tuple[str, str], ...] = ()
    ) -> None:
        super().__init__(message, hint=hint)
        self.faults = faults


class ParameterTypeError(ParameterError, ValueError):
    """A parameter was given a value of a wrong type, or one that its class refuses."""


class UnknownParameterError(ParameterError, KeyError):
    """There is no parameter of a name that was given."""

    __str__ = CurifactoryError.__str__


class ParameterIndexError(ParameterError, IndexError):
    """A position that was named lies outside of a parameter's list."""


class DiscoveryError(CurifactoryError):
    """An experiment, parameter file, set, run or stage that was named does not exist or cannot be loaded."""

    exit_code = ExitCode.WRONG_USE


class MissingEntryError(DiscoveryError, KeyError):
    """A past run has no artifact or parameter set of the name that was asked for."""

    __str__ = CurifactoryError.__str__


class DefinitionError(CurifactoryError):
    """A stage, cacher or parameter class is written in a way that cannot work."""

    exit_code = ExitCode.WRONG_USE


class InputSignatureError(DefinitionError):
    """The inputs named in a decorator do not fit the arguments of its function."""


class CachersMismatchError(DefinitionError):
    """There are not as many cachers as outputs, or one of them is no cacher."""


class EmptyCachersError(CachersMismatchError):
    """``cachers=[]`` was given to a stage that has outputs."""


class OutputSignatureError(DefinitionError):
    """A stage returned another number of values than it has outputs, or its outputs are badly named."""

    exit_code = ExitCode.FAILED


class HashFunctionsError(DefinitionError, ValueError):
    """``set_hash_functions`` was given something that is no dictionary of functions."""


class NoArtifactManagerError(DefinitionError):
    """Something needs an ``ArtifactManager`` and was given none."""


class UnidentifiableError(DefinitionError):
    """A value has no identity that would be the same in another process.

    Raised instead of guessing: a memory address or a truncated ``repr`` would make wrong cache hits.
    """


class PlanningError(CurifactoryError):
    """A call cannot be brought into the graph or decided."""


class MissingInputError(PlanningError, KeyError):
    """A stage needs a state entry that no earlier stage of its record has made."""

    __str__ = CurifactoryError.__str__


class StageError(CurifactoryError):
    """A stage function raised, or broke its contract, while it was executed.

    The exception of the stage is the ``__cause__``.
    """


class PartlyFailedError(StageError):
    """Some calls have failed, and the run went on with the others.

    Attributes
    ----------
    failures : list of (str, exception)
        Which calls, and what each of them raised.
    """

    exit_code = ExitCode.PARTLY_FAILED
    failures: list[tuple[str, BaseException]]

    @classmethod
    def of(cls, failures: list[tuple[str, BaseException]]) -> PartlyFailedError:
        """Return the error of these failures.

        Examples
        --------
        >>> PartlyFailedError.of([("train of Record 0", ValueError("no data"))]).message
        '1 call failed: train of Record 0 (ValueError: no data).'
        """
        told = [f"{call} ({say(error).partition(chr(10))[0]})" for call, error in failures]
        shown = "; ".join(told[:5]) + (f"; and {len(told) - 5} more" if len(told) > 5 else "")
        made = cls(f"{len(told)} {'call' if len(told) == 1 else 'calls'} failed: {shown}.")
        made.failures = failures
        return made


class CacheError(CurifactoryError):
    """An artifact could not be saved, loaded or verified."""


class UntrustedError(CurifactoryError):
    """Something that can run code when it is loaded lies in a store that came from elsewhere."""


class StoreError(CurifactoryError):
    """A run folder, a manifest or the index could not be read or written."""


class ReportError(CurifactoryError):
    """A report could not be drawn."""


class RemoteError(CurifactoryError):
    """A remote store did not do what it was asked for."""
