"""The ``experiment`` program."""

from __future__ import annotations

from curifactory.cli.program import run_program


def main() -> None:
    """Be the ``experiment`` program."""
    run_program("experiment", verbs="curifactory.cli.experiment_verbs")


if __name__ == "__main__":
    main()
