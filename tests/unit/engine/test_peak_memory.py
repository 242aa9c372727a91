import subprocess
import sys

import pytest

from curifactory.engine.peak_memory import read_peak


def test_the_peak_of_the_process_rises_with_what_it_uses():
    before = read_peak()
    assert before is not None
    held = bytearray(before + 2**26)
    held[:: 2**12] = b"x" * len(held[:: 2**12])
    assert read_peak() >= len(held)


@pytest.mark.skipif(sys.platform != "linux", reason="only there a process begins with the peak of another")
def test_the_peak_of_who_has_started_a_process_is_not_its_own():
    held = bytearray(2**28)
    held[:: 2**12] = b"x" * len(held[:: 2**12])
    asked = "from curifactory.engine.peak_memory import read_peak; print(read_peak())"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert 2**20 < int(done.stdout) < len(held)
