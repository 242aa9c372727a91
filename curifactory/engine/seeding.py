"""Random numbers of calls: the same ones for the same call, whoever executes it and whatever was executed before."""

from __future__ import annotations

import hashlib
import importlib.util
import random
import sys
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING, Any

from curifactory.errors import UnidentifiableError

if TYPE_CHECKING:
    from curifactory.engine.graph import Call

# What a call has read if it was seeded, so that another seed is another result.
SEED = "seed"


def seed_of(call: Call, seed: int) -> int:
    """Return the seed of a call: it follows from that of the run, the stage, and what the call is given.

    Parameters have no part in it, since nobody knows before which of them are read: sets that differ in a learning rate
    begin with the same weights. Repeats of a set differ.

    Parameters
    ----------
    call : Call
        With all its inputs known.
    seed : int
        Of the run.

    Returns
    -------
    int
        Of 32 bits, as NumPy takes it.
    """
    identifier = call.engine.identifier
    try:
        given = (
            sorted(identifier.input_identities(call).items()),
            sorted(identifier.override_identities(call).items()),
        )
    except UnidentifiableError:
        given = ([], [(str(call.index), call.label_hash)])
    text = repr((seed, call.stage_id, given))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def set_seeds(seed: int) -> None:
    """Seed the generators of Python, of NumPy if it is installed, and of torch, now or as soon as it is imported.

    Examples
    --------
    >>> set_seeds(7)
    >>> first = random.random()
    >>> set_seeds(7)
    >>> random.random() == first
    True
    """
    random.seed(seed)
    if "numpy" in sys.modules or importlib.util.find_spec("numpy") is not None:
        import numpy as np

        np.random.seed(seed)  # noqa: NPY002 - people's code draws from the global generator
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)
    else:
        _TORCH.seed = seed
        if _TORCH not in sys.meta_path:
            sys.meta_path.insert(0, _TORCH)


class _SeededTorch:
    """Seeds torch when it is first imported, be it by a stage: to import it for those that may need it takes seconds."""

    def __init__(self) -> None:
        self.seed = 0
        self._is_asking = False

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return how torch is found, with a loader that seeds it; None for all else."""
        if name != "torch" or self._is_asking:
            return None
        self._is_asking = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self._is_asking = False
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_and_seed(module: Any) -> None:
                execute(module)
                module.manual_seed(self.seed)

            spec.loader.exec_module = execute_and_seed  # type: ignore[method-assign]
        return spec


_TORCH = _SeededTorch()
