"""The words for what metrics belong to: training, validation and test have one each, whatever people call them."""

from __future__ import annotations

_WORDS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "validate": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
    "eval": "test",
    "evaluate": "test",
    "evaluation": "test",
}


def normal_type(word: str) -> str:
    """Return the one word for a type of metrics.

    Parameters
    ----------
    word : str
        What was given to ``record.log``.

    Returns
    -------
    str
        ``train``, ``val`` or ``test`` for the usual words, in whatever case; any other word as it is.

    Examples
    --------
    >>> [normal_type(word) for word in ("training", "Validate", "eval", "holdout", "")]
    ['train', 'val', 'test', 'holdout', '']
    """
    known = _WORDS.get(word)
    if known is not None:
        return known
    plain = word.strip()
    return _WORDS.get(plain.lower(), plain)
