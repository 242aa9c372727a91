import fractions
import os
import pickle
import subprocess
import sys

import pytest

from curifactory.engine.travel import pack


def test_what_can_be_imported_travels_by_its_name():
    assert pack(fractions.Fraction) == pickle.dumps(fractions.Fraction, protocol=5)
    assert "cloudpickle" not in only_here("pack(fractions.Fraction(1, 3))")


def only_here(expression):
    """Return the modules of a process that has packed something."""
    program = f"import fractions, sys; from curifactory.engine.travel import pack; {expression}; print(*sys.modules)"
    return run(program).decode().split()


def run(program):
    """Return what a program writes."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, check=True, env=environment
    ).stdout


def test_what_nobody_can_import_travels_by_its_value():
    n = 3
    assert pickle.loads(pack([lambda x: n * x]))[0](2) == 6


def test_what_the_main_program_defines_travels_by_its_value():
    program = (
        "from dataclasses import dataclass\nfrom curifactory.engine.travel import pack\nimport sys\n"
        "@dataclass\nclass Point:\n    x: int\n"
        "sys.stdout.buffer.write(pack(Point(5)))"
    )
    assert pickle.loads(run(program)).x == 5


def test_what_the_main_program_defines_is_found_by_its_name_where_a_worker_reads_it():
    write = (
        "import sys\nfrom curifactory.engine.travel import pack_for_worker\n"
        "class Base:\n    pass\nclass Box(Base):\n    class Lid:\n        pass\n"
        "def local():\n    class Inner:\n        pass\n    return Inner()\n"
        "sys.stdout.buffer.write(pack_for_worker([Box(), Box.Lid(), local()]))"
    )
    read = (
        f"import pickle\nbox, lid, local = pickle.loads({run(write)!r})\n"
        "print([type(pickle.loads(pickle.dumps(each))) is type(each) for each in (box, lid)], Base in Box.__mro__,"
        "'local' in globals().keys() - {'local'})"
    )
    assert run(read).decode().split() == ["[True,", "True]", "True", "False"]


def test_modules_that_somebody_wants_to_travel_do():
    import cloudpickle

    cloudpickle.register_pickle_by_value(fractions)
    try:
        assert len(pack(fractions.Fraction)) > 1000
    finally:
        cloudpickle.unregister_pickle_by_value(fractions)
    assert len(pack(fractions.Fraction)) < 100


def test_what_cannot_travel_says_why():
    with pytest.raises(TypeError, match="generator"):
        pack(each for each in "abc")
