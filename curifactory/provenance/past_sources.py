"""The texts of a project's files as two runs had them: commit, patch and new files put together in a place aside."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from curifactory.provenance.git import git_environment, run_git
from curifactory.provenance.patch import PATCH_NAME, SOURCE_NAMES, SOURCE_SUFFIXES, UNTRACKED_NAME

MOST_FILES = 500
LARGEST_BYTES = 1024**2
_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class CodeOrigin:
    """Where the code of a run is to be found.

    Parameters
    ----------
    commit : str
        The commit that it stood on.
    folder : Path
        The run's folder, with the patch and the new files.
    """

    commit: str
    folder: Path

    @property
    def patch(self) -> bytes:
        """What differed from the commit; empty if nothing did."""
        try:
            return (self.folder / PATCH_NAME).read_bytes()
        except OSError:
            return b""

    def list_new_files(self) -> list[str]:
        """Return the paths of the files that git did not know."""
        top = self.folder / UNTRACKED_NAME
        return sorted(path.relative_to(top).as_posix() for path in top.rglob("*") if path.is_file())


@dataclass(frozen=True, slots=True)
class SourceDifference:
    """What differs between the files of two runs.

    Parameters
    ----------
    files : tuple of str
        Paths, from the root of the repository, of the source files that differ.
    text : str
        The difference in unified form.
    left_out : tuple of str
        Paths that differ and are not shown: no source, too large, or no text.
    """

    files: tuple[str, ...] = ()
    text: str = ""
    left_out: tuple[str, ...] = ()


def has_commit(root: Path, commit: str) -> bool:
    """Say whether a repository has a commit.

    Examples
    --------
    >>> has_commit(Path("/"), "0" * 40)
    False
    """
    return run_git(root, ["cat-file", "-e", f"{commit}^{{commit}}"]) is not None


def diff_sources(root: Path, before: CodeOrigin, after: CodeOrigin) -> SourceDifference | None:
    """Compare the source files of two runs of one repository; nothing in it is touched.

    Parameters
    ----------
    root : Path
        Top folder of a work tree of the repository.
    before, after : CodeOrigin
        The code of the runs.

    Returns
    -------
    SourceDifference or None
        None if git cannot put the files together again.

    Raises
    ------
    OSError
        If there is no room for temporary files.
    """
    if before.commit == after.commit and _is_alike(before, after):
        return SourceDifference()
    paths = _list_candidates(root, before, after)
    if paths is None:
        return None
    sources = [path for path in paths if _is_source(path)]
    others = [path for path in paths if not _is_source(path)]
    left_out = sources[MOST_FILES:]
    texts = [_read_texts(root, each, sources[:MOST_FILES]) for each in (before, after)]
    if texts[0] is None or texts[1] is None:
        return None
    files: list[str] = []
    lines: list[str] = []
    for path in sources[:MOST_FILES]:
        old, new = texts[0].get(path), texts[1].get(path)
        if old == new:
            continue
        shown = None if _is_no_text(old) or _is_no_text(new) else list(_diff_file(path, old, new))
        if shown is None:
            left_out.append(path)
        else:
            files.append(path)
            lines += shown
    return SourceDifference(tuple(files), "".join(lines), (*left_out, *others))


def _is_alike(before: CodeOrigin, after: CodeOrigin) -> bool:
    names = before.list_new_files()
    return (
        before.patch == after.patch
        and names == after.list_new_files()
        and all(
            (before.folder / UNTRACKED_NAME / name).read_bytes()
            == (after.folder / UNTRACKED_NAME / name).read_bytes()
            for name in names
        )
    )


def _list_candidates(root: Path, before: CodeOrigin, after: CodeOrigin) -> list[str] | None:
    """List the files that may differ: those that differ between the commits, and those that a run had changed."""
    found: dict[str, None] = {}
    if before.commit != after.commit:
        answer = run_git(root, ["diff", "--name-only", "--no-renames", "-z", before.commit, after.commit])
        if answer is None:
            return None
        found.update(dict.fromkeys(_split(answer)))
    for each in (before, after):
        if each.patch:
            answer = run_git(
                root, ["apply", "--numstat", "-z", os.fspath(each.folder.absolute() / PATCH_NAME)]
            )
            if answer is None:
                return None
            found.update(dict.fromkeys(line.split("\t", 2)[2] for line in _split(answer)))
        found.update(dict.fromkeys(each.list_new_files()))
    return sorted(found)


def _read_texts(root: Path, origin: CodeOrigin, paths: Sequence[str]) -> Mapping[str, bytes] | None:
    """Give the content of files as a run had them; those that it had not are left out."""
    with tempfile.TemporaryDirectory(prefix="curifactory-") as place:
        folder = Path(place)
        # A repository of its own, lest `git apply` take the paths for those of one that the place lies in.
        if run_git(folder, ["init", "--quiet", "--template="]) is None:
            return None
        for path, content in _read_committed(root, origin.commit, paths):
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        if origin.patch:
            only = [word for path in paths for word in ("--include", _literal(path))]
            patch = os.fspath(origin.folder.absolute() / PATCH_NAME)
            if only and run_git(folder, ["apply", "--whitespace=nowarn", *only, patch]) is None:
                return None
        found: dict[str, bytes] = {}
        for path in paths:
            for top in (origin.folder / UNTRACKED_NAME, folder):
                with suppress(OSError):
                    found.setdefault(path, (top / path).read_bytes())
        return found


def _read_committed(root: Path, commit: str, paths: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Give the content of those files that a commit has."""
    asked = [path for path in paths if "\n" not in path and ".git" not in path.split("/")]
    lines = "".join(f"{commit}:{path}\n" for path in asked)
    try:
        done = subprocess.run(
            ["git", "cat-file", "--batch"],
            cwd=root,
            env=git_environment(),
            input=os.fsencode(lines),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return
    answer, place = done.stdout, 0
    for path in asked:
        end = answer.find(b"\n", place)
        if end < 0:
            return
        words = answer[place:end].split(b" ")
        place = end + 1
        # `<object> blob <size>`, or `<name> missing`.
        if words[-1].isdigit() and words[-2] in (b"blob", b"tree", b"commit"):
            size_bytes = int(words[-1])
            if words[-2] == b"blob":
                yield path, answer[place : place + size_bytes]
            place += size_bytes + 1


def _diff_file(path: str, old: bytes | None, new: bytes | None) -> Iterable[str]:
    before, after = ((content or b"").decode("utf-8").splitlines(keepends=True) for content in (old, new))
    old_name = "/dev/null" if old is None else f"a/{path}"
    new_name = "/dev/null" if new is None else f"b/{path}"
    for line in unified_diff(before, after, old_name, new_name):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _is_no_text(content: bytes | None) -> bool:
    if content is None:
        return False
    if len(content) > LARGEST_BYTES or b"\0" in content:
        return True
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


def _is_source(path: str) -> bool:
    name = os.path.basename(path).lower()
    return os.path.splitext(name)[1] in SOURCE_SUFFIXES or name in SOURCE_NAMES


def _literal(path: str) -> str:
    """Write a path so that git does not take signs in it for patterns."""
    return "".join(f"\\{sign}" if sign in "*?[\\" else sign for sign in path)


def _split(answer: bytes) -> list[str]:
    return [each for each in os.fsdecode(answer).split("\0") if each]
