"""The mark of a record: its number, its name and a colour of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from curifactory.store.rows import RecordRow


class Chip(NamedTuple):
    """What stands for a record wherever it is named.

    Parameters
    ----------
    index : int
        Number of the record in its run.
    name : str
        Its reference name, such as ``Record 0 (simple_lr)``.
    short : str
        Name of its parameter set, or the number.
    hue : int
        Angle of its colour, 0 to 359.
    """

    index: int  # type: ignore[assignment]  # nobody looks for a value in it
    name: str
    short: str
    hue: int


class Chips:
    """The chips of a run, by the number of the record."""

    def __init__(self, records: Iterable[RecordRow]) -> None:
        self._chips: dict[int, Chip] = {}
        for row in records:
            name = row.name or f"Record {row.index}"
            # A name of blanks would be seen by nobody.
            short = row.params_name if row.params_name and row.params_name.strip() else name
            self._chips[row.index] = Chip(row.index, name, short, choose_hue(row.index))

    def get(self, index: int, name: str = "") -> Chip:
        """Return the chip of a record, one that the run does not list included."""
        chip = self._chips.get(index)
        if chip is None:
            shown = name or f"Record {index}"
            chip = self._chips[index] = Chip(index, shown, shown, choose_hue(index))
        return chip

    def __iter__(self) -> Iterator[Chip]:
        return iter(self._chips.values())

    def __len__(self) -> int:
        return len(self._chips)


def choose_hue(index: int) -> int:
    """Give neighbours colours that are far apart: steps of the golden angle.

    Examples
    --------
    >>> [choose_hue(index) for index in range(4)]
    [225, 3, 140, 278]
    """
    return round(225 + index * 137.508) % 360
