"""Words on a command line: the ``experiment`` and ``curifactory`` commands."""
