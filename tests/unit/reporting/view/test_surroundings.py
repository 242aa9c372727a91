from curifactory.reporting.view.surroundings import (
    SHOWN_CHARACTERS,
    SHOWN_LINES,
    cut_text,
    gather_environment,
)


def test_of_a_long_log_the_end_is_shown():
    excerpt = cut_text("\n".join(map(str, range(5_000))), "log.txt", from_end=True)
    assert (excerpt.lines[0], excerpt.lines[-1], excerpt.left_out) == (
        str(5_000 - SHOWN_LINES),
        "4999",
        5_000 - SHOWN_LINES,
    )


def test_of_a_long_patch_the_beginning_is_shown():
    excerpt = cut_text("\n".join(map(str, range(5_000))), "patch.diff", from_end=False)
    assert (excerpt.lines[0], len(excerpt.lines)) == ("0", SHOWN_LINES)


def test_very_long_lines_count_too():
    excerpt = cut_text(f"{'x' * SHOWN_CHARACTERS}\nend", "log.txt", from_end=True)
    assert (excerpt.lines, excerpt.left_out) == (("end",), 1)


def test_an_empty_text_is_none():
    assert cut_text(" \n", "log.txt", from_end=True) is None


def test_packages_are_sorted_without_regard_to_case():
    found = gather_environment({"packages": {"b": "1", "A": "2", "C": "3"}})
    assert [name for name, _ in found.packages] == ["A", "b", "C"]


def test_without_an_environment_there_is_none():
    assert gather_environment({}) is None
