from __future__ import annotations

import os
import sys

from curifactory.identity.fingerprint import fingerprint


def test_a_decorator_that_was_edited_since_the_import_is_not_taken_for_the_one_that_ran(
    workshop, monkeypatch
):
    workshop.write(
        "work.py",
        """
        def known_as(kind):
            def note(function):
                return function
            return note

        @known_as("first")
        def run(x):
            return x
        """,
    )
    # The byte code that an import leaves behind says which text it was made from.
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    module = workshop.load("work")
    # Its code object has nothing of the decorator, and the text now says what has never run here.
    workshop.edit("work.py", '"first"', '"another"')
    ran = fingerprint(module.run, scope=workshop.scope)
    os.utime(workshop.root / "work.py", (1, 1))
    assert ran.digest != workshop.take_elsewhere()[0]
