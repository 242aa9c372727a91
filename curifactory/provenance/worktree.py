"""A second work tree of a repository: the code of a run, put together from its commit, its patch and its new files."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curifactory.core.secrets import mask_text
from curifactory.errors import StoreError
from curifactory.provenance.git import find_root, git_environment
from curifactory.provenance.patch import PATCH_NAME, UNTRACKED_NAME

# What the patch of a run may leave out without anything of its code missing.
_HARMLESS = frozenset({"not source", "a link", "a repository of its own"})
_PATIENCE_S = 600.0
_LISTED = 5


@dataclass(frozen=True, slots=True)
class CodeOfRun:
    """What a run has written down about its code.

    Parameters
    ----------
    commit : str or None
        The commit; None before the first of the repository.
    root : str
        Top folder of the work tree then.
    patch : Path or None
        What was changed since, as ``git apply`` takes it.
    untracked : Path or None
        Folder with copies of files that were new.
    not_kept : tuple of str
        Files that were not in the commit and are not kept, each with the reason; the code may need them or not.
    """

    commit: str | None
    root: str
    patch: Path | None
    untracked: Path | None
    not_kept: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tree:
    """A work tree that was added to a repository."""

    repository: Path
    place: Path


def read_code(folder: Path, facts: Mapping[str, Any], *, along: Sequence[str] = ()) -> CodeOfRun:
    """Return what a run has kept of its code.

    Parameters
    ----------
    folder : Path
        Folder of the run.
    facts : mapping
        What its ``run.json`` says.
    along : sequence of str
        Paths, relative to the work tree, of what comes from elsewhere and need not have been kept.

    Raises
    ------
    StoreError
        If the code was not in git, or a part of it was not kept; the message says which.

    Examples
    --------
    >>> read_code(Path("/runs/iris_1"), {"reference": "iris_1", "git": None})
    Traceback (most recent call last):
    curifactory.errors.StoreError: The code of iris_1 was not recorded: its project was in no git repository. Put the \
project under git; runs made from then on can be repeated.
    """
    name = facts.get("reference") or folder.name
    git = facts.get("git")
    if not git:
        raise StoreError(
            f"The code of {name} was not recorded: its project was in no git repository.",
            hint="Put the project under git; runs made from then on can be repeated.",
        )
    kept = facts.get("patch") or {}
    if git.get("dirty") and "patch" not in facts:
        raise StoreError(
            f"The code of {name} was not recorded: it had changes that no commit has, and they were not kept.",
            hint="It ended before they were written down; run it again.",
        )
    patch = folder / PATCH_NAME if kept.get("size_bytes") else None
    untracked = folder / UNTRACKED_NAME if kept.get("files") else None
    gone = [str(part) for part in (patch, untracked) if part is not None and not part.exists()]
    if gone:
        raise StoreError(
            f"The code of {name} is not whole: {' and '.join(gone)} {'is' if len(gone) == 1 else 'are'} not there.",
            hint="Take it from a copy of the run's folder.",
        )
    left_out = [
        (each["path"], each["why"])
        for each in kept.get("left_out", ())
        if not any(_is_below(each["path"], path) for path in along)
    ]
    _check_left_out(name, left_out)
    return CodeOfRun(
        git.get("commit"),
        str(git.get("root") or ""),
        patch,
        untracked,
        tuple(f"{path} ({why})" for path, why in left_out),
    )


def _check_left_out(name: str, left_out: list[tuple[str, str]]) -> None:
    needed = [f"{path} ({why})" for path, why in left_out if why not in _HARMLESS]
    if needed:
        more = f" and {len(needed) - _LISTED} more" if len(needed) > _LISTED else ""
        raise StoreError(
            f"The code of {name} was not recorded whole; these files were changed or new and are not kept: "
            f"{', '.join(needed[:_LISTED])}{more}.",
            hint="Take what is there now in their place: --with PATH.",
        )


def check_out(repository: Path, code: CodeOfRun, place: Path) -> list[Tree]:
    """Put the code of a run together in a folder: the commit, then the patch, then the new files.

    The folder is a work tree of the repository, without a branch; nothing else in the repository changes.

    Parameters
    ----------
    repository : Path
        A folder of the repository.
    code : CodeOfRun
        What is to be put together.
    place : Path
        Where to; must not exist, or be empty.

    Returns
    -------
    list of Tree
        What :func:`remove_trees` has to remove.

    Raises
    ------
    StoreError
        If there is no such commit here, or the patch does not fit it.
    """
    trees: list[Tree] = []
    if code.commit is None:
        place.mkdir(parents=True, exist_ok=True)
        _git(place, ["init", "--quiet"], doing="make a repository")
    else:
        root = find_root(repository)
        if root is None:
            raise StoreError(
                f"The commit {code.commit[:12]} is not to be found: {repository} lies in no git repository.",
                hint="Go to a clone of the repository that the run was made in.",
            )
        if not has_commit(root, code.commit):
            raise StoreError(
                f"The repository in {root} has no commit {code.commit[:12]}: it was rewritten, or never came here.",
                hint="Fetch it from where it was pushed, or go to the clone that the run was made in.",
            )
        trees.append(_add_tree(root, place, code.commit, doing=f"check out {code.commit[:12]}"))
        trees += _check_out_submodules(root, code.commit, place)
    if code.patch is not None:
        words = ["apply", "--whitespace=nowarn", "--binary", str(code.patch)]
        _git(place, words, doing="apply the changes that the run had besides its commit")
    if code.untracked is not None:
        shutil.copytree(code.untracked, place, dirs_exist_ok=True)
    return trees


def remove_trees(trees: Sequence[Tree]) -> None:
    """Remove work trees, and forget them in their repositories."""
    for tree in reversed(trees):
        shutil.rmtree(tree.place, ignore_errors=True)
        # Only this entry: `git worktree prune` would also drop those of disks that are not mounted just now.
        _run(tree.repository, ["worktree", "remove", "--force", "--force", str(tree.place)])


def has_commit(root: Path, commit: str) -> bool:
    """Say whether a repository has a commit."""
    return _run(root, ["cat-file", "-e", f"{commit}^{{commit}}"]).returncode == 0


def _add_tree(repository: Path, place: Path, commit: str, *, doing: str) -> Tree:
    _git(repository, ["worktree", "add", "--quiet", "--detach", "--force", str(place), commit], doing=doing)
    return Tree(repository, place)


def _check_out_submodules(root: Path, commit: str, place: Path) -> list[Tree]:
    """Check out submodules from the clones that lie in the work tree here; nothing is fetched."""
    trees = []
    listed = _git(root, ["ls-tree", "-r", "-z", commit], doing="list the files of the commit")
    for line in os.fsdecode(listed).split("\0"):
        head, _, path = line.partition("\t")
        if not head.startswith("160000 "):
            continue
        digest = head.split(" ")[2]
        clone = root / path
        if find_root(clone) != clone or not has_commit(clone, digest):
            raise StoreError(
                f"The submodule {path} is not here at {digest[:12]}, as the run had it.",
                hint=f"Run: git submodule update --init {path}",
            )
        trees.append(_add_tree(clone, place / path, digest, doing=f"check out the submodule {path}"))
    return trees


def _is_below(path: str, folder: str) -> bool:
    folder = folder.rstrip("/")
    return path.rstrip("/") == folder or path.startswith(f"{folder}/")


def _git(root: Path, arguments: Sequence[str], *, doing: str) -> bytes:
    done = _run(root, arguments)
    if done.returncode != 0:
        said = mask_text(done.stderr.decode("utf-8", "replace").strip().partition("\n")[0])
        raise StoreError(f"git could not {doing} in {root}: {said or f'exit code {done.returncode}'}.")
    return done.stdout


def _run(root: Path, arguments: Sequence[str]) -> subprocess.CompletedProcess[bytes]:

    command = [
        "git",
        "-c",
        "core.hooksPath=/dev/null",
        "-c",
        "core.fsmonitor=false",
        "-c",
        "advice.detachedHead=false",
    ]
    try:
        return subprocess.run(
            [*command, *arguments],
            cwd=root,
            env=git_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StoreError(f"git could not be run in {root}: {error}.", hint="Install git.") from error
