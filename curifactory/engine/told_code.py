"""How a part of a stage's code that is not what it was is told: code by its name, and by what they are files and packages."""

from __future__ import annotations

from curifactory.core.reason import Reason, ReasonKind
from curifactory.identity.reach_declared import DECLARED, VERSION

_FILE = "file "
_TEXT = "text of "
_REMOVED = "removed"


def tell_part(part: str, change: str, place: str, *, module: str, was_at: str = "") -> Reason:
    """Return the reason that a part of a fingerprint, which differs from an earlier one, amounts to.

    Parameters
    ----------
    part : str
        Its name in the fingerprint.
    change : str
        What happened to it: ``changed``, ``added`` or ``removed``.
    place : str
        File and line, the path of a file, or the version of a package; empty if there is none.
    module : str
        The stage's own, which is not named.
    was_at : str
        Its place in the earlier fingerprint.

    Examples
    --------
    >>> print(tell_part("iris.scale", "changed", "iris.py:3", module="iris"))
    code of scale changed (iris.py:3)
    >>> print(tell_part("depends on raw/a.csv", "changed", "raw/a.csv", module="iris"))
    file raw/a.csv changed (named in depends)
    >>> print(tell_part("depends on numpy", "changed", "version 2.5", module="iris", was_at="version 2.4"))
    package numpy 2.4 → 2.5
    """
    # A notebook's cell has a file that is gone with the kernel: naming it would help nobody.
    place = "" if "ipykernel_" in place else place
    declared = part.startswith(DECLARED)
    name = part.removeprefix(DECLARED).removeprefix(_FILE).removeprefix(_TEXT)
    if declared and change != "changed":
        return _code("depends", f"{name} {change}")
    if declared and place.startswith(VERSION):
        old = was_at.removeprefix(VERSION) or "?"
        return Reason(
            ReasonKind.PACKAGE_CHANGED, {"name": name, "old": old, "new": place.removeprefix(VERSION)}
        )
    if (declared and place) or (part.startswith(_FILE) and change == "changed"):
        how = "named in depends" if declared else "read on import"
        return Reason(ReasonKind.FILE_READ_CHANGED, {"file": name, "how": how})
    return _code(name.removeprefix(f"{module}."), _REMOVED if change == _REMOVED else place)


def _code(part: str, place: str) -> Reason:
    return Reason(ReasonKind.CODE_CHANGED, {"part": part, "place": f" ({place})" if place else ""})
