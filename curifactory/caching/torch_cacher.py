"""``TorchCacher``: tensors and state dictionaries as ``.safetensors``, other nests of them as ``.pt``; no code in either."""

from __future__ import annotations

import io
import json
import os
from typing import Any

from curifactory.caching.cacheable import Cacheable
from curifactory.errors import CacheError
from curifactory.optional import require

# The name of a tensor that is saved by itself.
_ALONE = "value"
_ABOUT = "curifactory"


class TorchCacher(Cacheable):
    """Saves a tensor, a state dictionary, or a nest of dictionaries, lists, tensors, numbers and texts.

    Tensors and flat dictionaries of tensors become a ``.safetensors`` file, everything else what ``torch.save`` writes; it is
    read with ``weights_only``, so that a file from elsewhere runs no code. What was on an accelerator comes back on the CPU
    unless another device is named, so that a result can be read where there is none.

    Parameters
    ----------
    path_override : str, optional
        As for :class:`Cacheable`; whatever it ends with, the value decides the format.
    device : str, optional
        Where tensors are loaded to, such as ``"cuda"``; ``"cpu"`` by default.
    **kwargs
        As for :class:`Cacheable`.

    Raises
    ------
    ConfigurationError
        When it is used and torch or safetensors is not installed.

    Examples
    --------
    >>> import tempfile
    >>> import torch
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cacher = TorchCacher(f"{folder}/net.safetensors")
    ...     cacher.save(torch.nn.Linear(3, 2).state_dict())
    ...     {name: tuple(tensor.shape) for name, tensor in cacher.load().items()}
    {'weight': (2, 3), 'bias': (2,)}
    """

    extension = ".safetensors"
    # A tensor may come back on another device, and without its gradient: everybody gets it so, now as in later runs.
    lossless = False

    def __init__(
        self,
        path_override: str | os.PathLike[str] | None = None,
        *,
        device: str = "cpu",
        **kwargs: Any,
    ) -> None:
        super().__init__(path_override, **kwargs)
        self.device = device

    def save(self, obj: Any) -> None:
        """Write the tensors.

        Raises
        ------
        CacheError
            If the value has something that could only be read by running code, such as a whole module.
        """
        torch = require("torch", extra="torch", purpose="TorchCacher")
        if isinstance(obj, torch.nn.Module):
            raise self.refusal(
                f"it is a whole {type(obj).__name__}.",
                hint="Return model.state_dict(), and build the model anew where it is read; or use PickleCacher.",
            )
        tensors = _as_tensors(torch, obj)
        if tensors is not None:
            save_file = require("safetensors.torch", extra="torch", purpose="TorchCacher").save_file
            kind = "tensor" if isinstance(obj, torch.Tensor) else "tensors"
            # The format sorts by size, while people's dictionaries have an order. One entry: of several the order varies.
            about = {_ABOUT: json.dumps({"kind": kind, "names": list(tensors)})}
            save_file(tensors, self._path(".safetensors"), metadata=about)
            self.extra_metadata["format"] = "safetensors"
            return
        # Saved into memory first: torch writes the name of a file into it.
        buffer = io.BytesIO()
        torch.save(_detached(torch, obj), buffer)
        buffer.seek(0)
        try:
            torch.load(buffer, map_location="cpu", weights_only=True)
        except Exception as error:
            raise self.refusal(
                f"it has something that is no tensor, number, text, list or dictionary: {str(error).splitlines()[0]}",
                hint="Return state dictionaries, or use PickleCacher.",
            ) from error
        with open(self._path(".pt"), "wb") as file:
            file.write(buffer.getbuffer())
        self.extra_metadata["format"] = "pt"

    def load(self) -> Any:
        """Read the tensors.

        Raises
        ------
        CacheError
            If the file is not what ``save`` writes.
        """
        torch = require("torch", extra="torch", purpose="TorchCacher")
        path = self._path_to_read()
        try:
            if _is_archive(path):
                return torch.load(path, map_location=self.device, weights_only=True)
            safe_open = require("safetensors", extra="torch", purpose="TorchCacher").safe_open
            with safe_open(path, framework="pt", device=self.device) as file:
                about = json.loads((file.metadata() or {}).get(_ABOUT, "{}"))
                tensors = {name: file.get_tensor(name) for name in about.get("names") or file.keys()}
            return tensors[_ALONE] if about.get("kind") == "tensor" else tensors
        except OSError:
            raise
        except Exception as error:
            raise CacheError(
                f"{path} holds no tensors that can be read: {str(error).splitlines()[0]}.",
                hint="Delete it to have it made again.",
            ) from error

    def check(self) -> bool:
        """Return whether the file is there and not to be overwritten."""
        overwrite = getattr(getattr(self.record, "params", None), "overwrite", False)
        return not overwrite and os.path.exists(self._path_to_read())

    def _path(self, extension: str) -> str:
        return self.get_path(extension) if self.path_override is None else self.get_path()

    def _path_to_read(self) -> str:
        if self.path_override is not None:
            return self.get_path()
        known = self.extra_metadata.get("format")
        if known is not None:
            return self.get_path(f".{known}")
        other = self.get_path(".pt")
        return other if os.path.exists(other) else self.get_path(".safetensors")


def _is_archive(path: str) -> bool:
    """Say whether a file is what ``torch.save`` writes."""
    with open(path, "rb") as file:
        return file.read(2) == b"PK"


def _as_tensors(torch: Any, obj: Any) -> dict[str, Any] | None:
    """Return a value as named dense tensors that share no memory; None if it is no such thing."""
    if isinstance(obj, torch.Tensor):
        named = {_ALONE: obj}
    elif isinstance(obj, dict) and obj and all(isinstance(name, str) for name in obj):
        named = obj
    else:
        return None
    if not all(
        isinstance(tensor, torch.Tensor) and tensor.layout is torch.strided for tensor in named.values()
    ):
        return None
    seen: set[int] = set()
    found = {}
    for name, tensor in named.items():
        plain = tensor.detach().contiguous()
        place = plain.untyped_storage().data_ptr()
        # Tied weights are written twice: a state dictionary is loaded name by name.
        found[name] = plain.clone() if place in seen else plain
        seen.add(place)
    return found


def _detached(torch: Any, value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.detach()
    if isinstance(value, dict):
        return {key: _detached(torch, item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_detached(torch, item) for item in value)
    return value
