"""Keeps beside a run what its code was besides the commit: a patch, and copies of new source files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from curifactory.core.secrets import is_secret_name
from curifactory.errors import StoreError
from curifactory.provenance.code_secrets import file_shows_secret, find_secret_paths
from curifactory.provenance.git import LISTED_PATHS, GitState, cut_list, pathspecs, printable, run_git

PATCH_NAME = "patch.diff"
UNTRACKED_NAME = "untracked"
PATCH_LIMIT_BYTES = 64 * 1024**2
FILE_LIMIT_BYTES = 1024**2
TOTAL_LIMIT_BYTES = 10 * 1024**2
SOURCE_SUFFIXES = frozenset(
    [
        ".bash",
        ".c",
        ".cc",
        ".cfg",
        ".conf",
        ".cpp",
        ".cu",
        ".cuh",
        ".css",
        ".cxx",
        ".f",
        ".f90",
        ".go",
        ".h",
        ".hpp",
        ".html",
        ".ini",
        ".ipynb",
        ".java",
        ".j2",
        ".jinja",
        ".jl",
        ".js",
        ".json",
        ".lua",
        ".m",
        ".mako",
        ".md",
        ".pl",
        ".proto",
        ".pxd",
        ".py",
        ".pyi",
        ".pyx",
        ".r",
        ".rb",
        ".rmd",
        ".rs",
        ".rst",
        ".sh",
        ".sql",
        ".stan",
        ".tex",
        ".toml",
        ".ts",
        ".txt",
        ".yaml",
        ".yml",
    ]
)
SOURCE_NAMES = frozenset(["dockerfile", "justfile", "makefile", "snakefile"])
_SHOWS_SECRET = "a secret stands in it"  # noqa: S105 (a reason, no password)


class LeftOut(NamedTuple):
    """A path whose difference from the commit is not kept, and why."""

    path: str
    why: str


class Patch(NamedTuple):
    """What was kept of a work tree's differences from its commit.

    Parameters
    ----------
    size_bytes : int
        Length of ``patch.diff``; 0 when there is none.
    files : tuple of str
        Paths from the root of the new files that were copied below ``untracked/``.
    left_out : tuple of LeftOut
        What was not kept.
    """

    size_bytes: int = 0
    files: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the facts as JSON values; long lists are cut."""
        left_out = [{"path": printable(each.path), "why": each.why} for each in self.left_out[:LISTED_PATHS]]
        more = len(self.left_out) - len(left_out)
        return {
            "size_bytes": self.size_bytes,
            "files": cut_list(self.files),
            "left_out": left_out,
            **({"left_out_more": more} if more else {}),
        }


def write_patch(state: GitState, folder: Path, *, exclude: Iterable[Path] = ()) -> Patch:
    """Write what differs from the commit: ``patch.diff`` and new source files below ``untracked/``.

    ``git apply patch.diff`` on the commit and a copy of ``untracked/`` over it give the code of the run. A clean work
    tree costs nothing. Files that git ignores are never copied, nor are large ones, data, links, and files named like
    secrets or with a secret in them; a changed file with one is left out of the patch.

    Parameters
    ----------
    state : GitState
        As it was read from the work tree.
    folder : Path
        Folder of the run; made if it is missing.
    exclude : iterable of Path
        Folders of results (absolute, or relative to the root of the work tree) of which nothing is kept.

    Returns
    -------
    Patch
        What was kept and what was left out.

    Raises
    ------
    StoreError
        If the files cannot be written.

    Examples
    --------
    >>> write_patch(GitState(root=Path("/project"), commit="1" * 40, branch="main"), Path("/runs/iris_1"))
    Patch(size_bytes=0, files=(), left_out=())
    """
    if not state.is_dirty:
        return Patch()
    specifications = pathspecs(state.root, state.root, exclude)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        size_bytes = 0
        left_out: list[LeftOut] = []
        if state.staged or state.unstaged:
            size_bytes, left_out = _write_diff(state, folder, specifications)
        files: list[str] = []
        if state.untracked:
            files, not_copied = _copy_untracked(state.root, folder, specifications)
            left_out.extend(not_copied)
    except OSError as error:
        raise StoreError(
            f"The changes since the last commit cannot be kept in {folder}: {error}.",
            hint="Make room or give the folder write permission.",
        ) from error
    return Patch(size_bytes, tuple(files), tuple(left_out))


def _write_diff(state: GitState, folder: Path, specifications: list[str]) -> tuple[int, list[LeftOut]]:
    left_out = [LeftOut(path, "changes inside of a submodule") for path in state.dirty_submodules]
    base = state.commit
    if base is None:
        # Before the first commit the difference is that from nothing; its name depends on the hash of the repository.
        base = (run_git(state.root, ["hash-object", "-t", "tree", os.devnull]) or b"").decode().strip()
    # Options of people's configuration that would make a patch which `git apply` cannot read are put back.
    options = "--binary --no-color --no-ext-diff --no-textconv --no-renames --ignore-submodules=dirty --submodule=short"
    prefixes = ["--src-prefix=a/", "--dst-prefix=b/"]
    target = folder / PATCH_NAME
    partial = folder / f"{PATCH_NAME}.part"
    command = ["diff", *options.split(), *prefixes, base, "--", *specifications]
    with partial.open("wb") as file:
        answer = run_git(state.root, command, output=file)
    size_bytes = partial.stat().st_size
    secret = find_secret_paths(partial) if answer is not None and size_bytes <= PATCH_LIMIT_BYTES else []
    if secret:
        left_out += [LeftOut(path, _SHOWS_SECRET) for path in secret]
        with partial.open("wb") as file:
            answer = run_git(
                state.root, [*command, *(f":(top,exclude,literal){path}" for path in secret)], output=file
            )
        size_bytes = partial.stat().st_size
    if answer is None or size_bytes > PATCH_LIMIT_BYTES or not size_bytes:
        partial.unlink()
        if answer is None:
            left_out.append(LeftOut(PATCH_NAME, "git could not make the patch"))
        elif size_bytes:
            left_out.append(LeftOut(PATCH_NAME, f"the patch would be {size_bytes:,} bytes long"))
        return 0, left_out
    partial.replace(target)
    return size_bytes, left_out


def _copy_untracked(root: Path, folder: Path, specifications: list[str]) -> tuple[list[str], list[LeftOut]]:
    answer = run_git(root, ["ls-files", "--others", "--exclude-standard", "-z", "--", *specifications])
    files: list[str] = []
    left_out: list[LeftOut] = []
    total_bytes = 0
    for path in _iter_paths(answer or b""):
        source = os.path.join(root, path)
        why = _why_not_copied(source, path)
        if why is None:
            try:
                size_bytes = os.path.getsize(source)
                why = _why_too_large(size_bytes, total_bytes)
                if why is None and file_shows_secret(source):
                    why = _SHOWS_SECRET
                if why is None:
                    _copy(source, os.path.join(folder, UNTRACKED_NAME, path))
                    total_bytes += size_bytes
            except FileNotFoundError:
                why = "gone while it was read"
        if why is None:
            files.append(path)
        else:
            left_out.append(LeftOut(path, why))
    return files, left_out


def _copy(source: str, target: str) -> None:
    os.makedirs(os.path.dirname(target), exist_ok=True)
    shutil.copyfile(source, target)
    shutil.copymode(source, target)


def _iter_paths(answer: bytes) -> Iterator[str]:
    return (path for path in sorted(os.fsdecode(answer).split("\0")) if path)


def _why_not_copied(source: str, path: str) -> str | None:
    """Say why a new file is not kept; None if it is."""
    name = os.path.basename(path).lower()
    stem, suffix = os.path.splitext(name)
    if path.endswith("/"):
        return "a repository of its own"
    if os.path.islink(source):
        return "a link"
    if name.startswith(".env") or is_secret_name(stem):
        return "named like a secret"
    if suffix not in SOURCE_SUFFIXES and name not in SOURCE_NAMES:
        return "not source"
    return None


def _why_too_large(size_bytes: int, total_bytes: int) -> str | None:
    if size_bytes > FILE_LIMIT_BYTES:
        return f"larger than {FILE_LIMIT_BYTES // 1024**2} MiB"
    if total_bytes + size_bytes > TOTAL_LIMIT_BYTES:
        return f"more than {TOTAL_LIMIT_BYTES // 1024**2} MiB of new files"
    return None
