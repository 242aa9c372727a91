"""Files that appear whole: made under another name, then renamed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from curifactory.errors import StoreError


@contextmanager
def made_whole(target: Path) -> Iterator[Path]:
    """Give the name under which a file is to be made; when the block ends it gets its own, in place of one that has it.

    Parameters
    ----------
    target : Path
        The file; folders above it are made.

    Raises
    ------
    StoreError
        If it cannot be written; what had the name stays.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     target = Path(folder, "below", "a.txt")
    ...     with made_whole(target) as partial:
    ...         _ = partial.write_text("text")
    ...     target.read_text(), len(list(target.parent.iterdir()))
    ('text', 1)
    """
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        os.replace(partial, target)
    except OSError as error:
        raise StoreError(
            f"{target} could not be written: {error.strerror or error}.",
            hint="Make room, or name another place with --to.",
        ) from error
    finally:
        with suppress(OSError):
            partial.unlink()
