"""The ``curifactory`` program."""

from __future__ import annotations

from curifactory.cli.program import run_program


def main() -> None:
    """Be the ``curifactory`` program."""
    run_program("curifactory", verbs="curifactory.cli.curifactory_verbs")


if __name__ == "__main__":
    main()
