"""The state of the git repository around a project, read by one quiet subprocess."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from curifactory.core.secrets import mask_text

_log = logging.getLogger("curifactory.provenance")

LISTED_PATHS = 200
_PATIENCE_S = 60.0
# What git sets for its hooks: it would send us to another repository than the one around the folder.
_LOCATIONS = frozenset(
    [
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_DIR",
        "GIT_EXTERNAL_DIFF",
        "GIT_DIFF_OPTS",
        "GIT_INDEX_FILE",
        "GIT_NAMESPACE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_WORK_TREE",
    ]
)


class GitState(NamedTuple):
    """What a repository's work tree was at one moment.

    Parameters
    ----------
    root : Path
        Top folder of the work tree.
    commit : str, optional
        All 40 (or 64) hex digits; None before the first commit.
    branch : str, optional
        None when a commit is checked out without a branch.
    staged, unstaged, untracked : tuple of str
        Paths from the root that differ from the commit, those that are new to git apart; a folder with nothing but
        untracked files stands for them and ends with ``/``. Ignored files are in none of them.
    dirty_submodules : tuple of str
        Submodules with changes that they have not committed themselves; they are among ``unstaged`` too.
    remote : str, optional
        Address of the branch's upstream, else of ``origin``, else of the only remote; credentials masked.
    is_worktree, is_submodule : bool
        Whether the work tree is a second one of its repository, or part of another repository.
    """

    root: Path
    commit: str | None
    branch: str | None
    staged: tuple[str, ...] = ()
    unstaged: tuple[str, ...] = ()
    untracked: tuple[str, ...] = ()
    dirty_submodules: tuple[str, ...] = ()
    remote: str | None = None
    is_worktree: bool = False
    is_submodule: bool = False

    @property
    def is_dirty(self) -> bool:
        """Whether anything differs from the commit, new files included."""
        return bool(self.staged or self.unstaged or self.untracked)

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON values for ``run.json``; long lists are cut and say how much is missing."""
        return {
            "commit": self.commit,
            "branch": self.branch,
            "dirty": self.is_dirty,
            "root": printable(str(self.root)),
            "remote": self.remote,
            "staged": cut_list(self.staged),
            "unstaged": cut_list(self.unstaged),
            "untracked": cut_list(self.untracked),
            "worktree": self.is_worktree,
            "submodule": self.is_submodule,
        }


def read_git_state(folder: Path, *, exclude: Iterable[Path] = ()) -> GitState | None:
    """Read the state of the repository that holds a folder.

    Nothing is written, not even git's own index, and nothing appears on the terminal.

    Parameters
    ----------
    folder : Path
        Any folder of the work tree.
    exclude : iterable of Path
        Folders of results (absolute, or relative to ``folder``), whose files make no work tree dirty.

    Returns
    -------
    GitState or None
        None outside of a repository, without git, or when git refuses (one line in the log then says why).

    Examples
    --------
    >>> read_git_state(Path("/")) is None
    True
    """
    with reading_git_state(folder, exclude=exclude) as read:
        return read()


@contextmanager
def reading_git_state(
    folder: Path, *, exclude: Iterable[Path] = ()
) -> Iterator[Callable[[], GitState | None]]:
    """Let git read the state of a repository while a block does something else.

    Parameters
    ----------
    folder, exclude
        As for :func:`read_git_state`.

    Yields
    ------
    callable
        Waits for the state and returns it.

    Examples
    --------
    >>> with reading_git_state(Path("/")) as read:
    ...     read() is None
    True
    """
    folder = Path(os.path.realpath(folder))
    root = find_root(folder)
    if root is None:
        yield lambda: None
        return
    arguments = ["status", "--porcelain=v2", "--branch", "-z", "--no-renames", "--untracked-files=normal"]
    with _asking_git(root, [*arguments, "--", *pathspecs(root, folder, exclude)]) as wait:

        def read() -> GitState | None:
            answer = wait()
            return None if answer is None else _parse_status(answer, root)

        yield read


def find_root(folder: Path) -> Path | None:
    """Return the top folder of the work tree around a folder, None if there is none.

    Examples
    --------
    >>> find_root(Path("/")) is None
    True
    """
    for place in (folder, *folder.parents):
        mark = os.path.join(place, ".git")
        # An empty `.git` folder is no repository to git either; it goes on looking above.
        if os.path.isfile(mark) or os.path.isfile(os.path.join(mark, "HEAD")):
            return place
    return None


def run_git(root: Path, arguments: Sequence[str], *, output: IO[bytes] | None = None) -> bytes | None:
    """Run git in a folder without locks, prompts, pagers or people's hooks.

    Parameters
    ----------
    root : Path
        Where to run it.
    arguments : sequence of str
        The words after ``git``.
    output : binary file, optional
        Takes what git prints; by default it is returned.

    Returns
    -------
    bytes or None
        What git printed (empty with ``output``), or None if git is missing or refused.

    Examples
    --------
    >>> run_git(Path("/"), ["--version"]).startswith(b"git version")
    True
    """
    with _asking_git(root, arguments, output=output) as wait:
        return wait()


@contextmanager
def _asking_git(
    root: Path, arguments: Sequence[str], *, output: IO[bytes] | None = None
) -> Iterator[Callable[[], bytes | None]]:
    import subprocess

    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false", *arguments]
    try:
        process = subprocess.Popen(
            command,
            cwd=root,
            env=git_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if output is None else output,
            stderr=subprocess.PIPE,
        )
    except OSError as error:
        _log.info("git could not be asked about %s: %s", root, error)
        yield lambda: None
        return

    def wait() -> bytes | None:
        try:
            printed, complaint = process.communicate(timeout=_PATIENCE_S)
        except (OSError, subprocess.TimeoutExpired) as error:
            _log.info("git could not be asked about %s: %s", root, error)
            return None
        if process.returncode != 0:
            reason = complaint.decode("utf-8", "replace").strip().partition("\n")[0]
            _log.info("git could not read %s: %s", root, mask_text(reason))
            return None
        return printed or b""

    with process:
        try:
            yield wait
        finally:
            # Nobody has waited for it, or not for so long.
            if process.poll() is None:
                process.kill()


def git_environment() -> dict[str, str]:
    """Return the environment in which git works on the folder that it is run in, and asks nobody anything.

    Examples
    --------
    >>> git_environment()["GIT_TERMINAL_PROMPT"], "GIT_DIR" in git_environment()
    ('0', False)
    """
    environment = {name: value for name, value in os.environ.items() if name not in _LOCATIONS}
    # Without optional locks a reading command never takes `index.lock` from a person's `git commit`.
    return environment | {
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_PAGER": "cat",
        "LC_ALL": "C",
    }


def pathspecs(root: Path, folder: Path, exclude: Iterable[Path]) -> list[str]:
    """Return git's words for the whole work tree but some folders; folders outside of it are left out.

    So is byte code, which Python puts there by itself: no run would be that of its commit where nothing ignores it.

    Examples
    --------
    >>> pathspecs(Path("/project"), Path("/project"), [Path("data"), Path("/elsewhere")])[::2]
    [':/', ':(top,exclude,literal)data']
    """
    words = [":/", ":(top,exclude,glob)**/__pycache__/**"]
    for path in exclude:
        relative = os.path.relpath(os.path.realpath(os.path.join(folder, path)), os.path.realpath(root))
        if relative != os.curdir and relative.partition(os.sep)[0] != os.pardir:
            words.append(f":(top,exclude,literal){relative}")
    return words


def printable(path: str) -> str:
    r"""Return a path as text that JSON can hold, whatever bytes it is made of.

    Examples
    --------
    >>> printable("caf\udce9.py")
    'caf\\xe9.py'
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def cut_list(paths: Sequence[str]) -> list[str]:
    """Return at most :data:`LISTED_PATHS` of the paths, and a last line that counts the others.

    Examples
    --------
    >>> cut_list(["a"] * 203)[-1]
    '… and 3 more'
    """
    listed = [printable(path) for path in paths[:LISTED_PATHS]]
    if len(paths) > LISTED_PATHS:
        listed.append(f"… and {len(paths) - LISTED_PATHS:,} more")
    return listed


def _parse_status(answer: bytes, root: Path) -> GitState:
    commit: str | None = None
    branch: str | None = None
    upstream = ""
    staged: list[str] = []
    unstaged: list[str] = []
    untracked: list[str] = []
    submodules: list[str] = []
    for line in os.fsdecode(answer).split("\0"):
        kind, _, rest = line.partition(" ")
        if kind == "#":
            name, _, value = rest.partition(" ")
            if name == "branch.oid":
                commit = None if value == "(initial)" else value
            elif name == "branch.head":
                branch = None if value == "(detached)" else value
            elif name == "branch.upstream":
                upstream = value
        elif kind == "?":
            untracked.append(rest)
        elif kind in {"1", "u"}:
            # A changed entry has seven fields before its path, one in conflict nine; the second is the submodule's.
            fields = rest.split(" ", 7 if kind == "1" else 9)
            status, submodule, path = fields[0], fields[1], fields[-1]
            if status[0] != ".":
                staged.append(path)
            if status[1] != ".":
                unstaged.append(path)
            if submodule[0] == "S" and submodule[2:] != "..":
                submodules.append(path)
    common, is_worktree, is_submodule = _read_mark(root)
    return GitState(
        root=root,
        commit=commit,
        branch=branch,
        staged=tuple(staged),
        unstaged=tuple(unstaged),
        untracked=tuple(untracked),
        dirty_submodules=tuple(submodules),
        remote=_find_remote(common, upstream),
        is_worktree=is_worktree,
        is_submodule=is_submodule,
    )


def _read_mark(root: Path) -> tuple[str, bool, bool]:
    """Return the repository's own folder, and whether ``root`` is a second work tree or a submodule of one."""
    mark = os.path.join(root, ".git")
    if os.path.isdir(mark):
        return mark, False, False
    own = os.path.join(root, _read_text(mark).strip().removeprefix("gitdir:").strip())
    common = _read_text(os.path.join(own, "commondir")).strip()
    if common:
        return os.path.join(own, common), True, False
    return own, False, f"{os.sep}modules{os.sep}" in os.path.normpath(own)


def _find_remote(repository: str, upstream: str) -> str | None:
    """Return the address that the branch or the repository comes from; asking git would be a second subprocess."""
    remotes = dict(_iter_remotes(_read_text(os.path.join(repository, "config"))))
    for name, address in remotes.items():
        if upstream.startswith(f"{name}/"):
            return mask_text(address)
    address = remotes.get("origin") or (next(iter(remotes.values())) if len(remotes) == 1 else "")
    return mask_text(address) or None


def _iter_remotes(config: str) -> Iterator[tuple[str, str]]:
    name: str | None = None
    for line in map(str.strip, config.splitlines()):
        if line.startswith("["):
            section, _, quoted = line.strip("[]").partition(" ")
            name = quoted.strip('"') if section.lower() == "remote" else None
        elif name is not None:
            key, equals, value = line.partition("=")
            if equals and key.strip().lower() == "url":
                value = value.strip()
                quoted_whole = value.startswith('"') and value.endswith('"')
                yield name, value[1:-1] if quoted_whole else value.partition(" #")[0].partition(" ;")[0]


def _read_text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
