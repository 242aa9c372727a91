from curifactory.engine.facts import read_peak


def test_the_peak_of_the_process_rises_with_what_it_uses():
    before = read_peak()
    assert before is not None
    held = bytearray(before + 2**26)
    held[:: 2**12] = b"x" * len(held[:: 2**12])
    assert read_peak() >= len(held)
