"""The ``experiment`` program."""

from __future__ import annotations

from collections.abc import Sequence

from curifactory.cli.program import run_program


def main() -> None:
    """Be the ``experiment`` program."""
    run_program("experiment", verbs="curifactory.cli.experiment_verbs", early=_begin_hands)


def _begin_hands(words: Sequence[str]) -> None:
    if any(word.startswith(("-j", "--jobs", "--executor")) for word in words):
        from curifactory.manager.early_hands import begin_hands

        begin_hands(words)


if __name__ == "__main__":
    main()
