"""What sort of file system a path lies on, where the machine tells."""

from __future__ import annotations

import os

_NETWORK = {
    "9p", "afs", "beegfs", "ceph", "cifs", "davfs", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "orangefs",
    "panfs", "smb3", "smbfs", "virtiofs", "wekafs",
}  # fmt: skip
_NETWORK_IN_USER_SPACE = {
    "fuse.glusterfs", "fuse.gcsfuse", "fuse.goofys", "fuse.juicefs", "fuse.mount_s3", "fuse.rclone", "fuse.s3fs",
    "fuse.sshfs", "fuse.grpcfuse", "fuse.osxfs", "fuse.davfs2",
}  # fmt: skip


def is_on_network(path: str, *, mounts: str = "/proc/mounts") -> bool:
    """Say whether a path lies on a file system that several machines may share.

    Parameters
    ----------
    path : str
        Need not exist.
    mounts : str
        The system's list of mounts; without one the answer is no.

    Examples
    --------
    >>> is_on_network("/proc/self")
    False
    """
    kind = find_kind(path, mounts=mounts)
    return kind in _NETWORK or kind in _NETWORK_IN_USER_SPACE


def find_kind(path: str, *, mounts: str = "/proc/mounts") -> str:
    """Return the kind of file system that a path lies on, such as ``ext4``; empty where the machine does not tell.

    Parameters
    ----------
    path : str
        Need not exist.
    mounts : str
        The system's list of mounts.

    Examples
    --------
    >>> find_kind("/anywhere", mounts="/no/such/list")
    ''
    """
    try:
        with open(mounts, encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().splitlines()
    except OSError:
        return ""
    path = os.path.realpath(path)
    longest, kind = "", ""
    for line in lines:
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = _unescape(fields[1]).rstrip("/")
        # Later lines lie over earlier ones.
        if (path == point or path.startswith(point + "/")) and len(point) >= len(longest):
            longest, kind = point, fields[2]
    return kind


def _unescape(text: str) -> str:
    for code, sign in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, sign)
    return text
