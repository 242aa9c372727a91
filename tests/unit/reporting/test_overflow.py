"""What a page has no room for."""

from __future__ import annotations

import json

from curifactory.reporting.overflow import DETAILS_SCRIPT, ROWS_SCRIPT, Overflow


def read(overflow: Overflow, script: str):
    return json.loads(overflow.scripts()[script].partition(" = ")[2].removesuffix(";\n"))


def test_a_page_with_room_has_everything_and_needs_no_script():
    overflow = Overflow({"calls": 100, "details": 100, "log": 100})
    assert overflow.row("calls", "<p>1</p>") == "<p>1</p>"
    assert overflow.detail("call-0", "<p>more</p>") == "<p>more</p>"
    assert overflow.lines("log", ["one", "two"]) == "one\ntwo"
    assert overflow.is_empty
    assert overflow.scripts() == {}
    assert overflow.count("calls") == overflow.count("details") == 0


def test_rows_stay_in_their_order_although_a_later_one_would_fit():
    overflow = Overflow({"calls": 10})
    shown = [overflow.row("calls", row) for row in ("12345", "1234567890", "1")]
    assert shown == ["12345", "", ""]
    assert read(overflow, ROWS_SCRIPT) == {"calls": "12345678901"}
    assert overflow.count("calls") == 2
    assert overflow.has_rows


def test_parts_do_not_take_room_from_each_other():
    overflow = Overflow({"calls": 3, "sets": 3})
    assert overflow.row("calls", "1234") == ""
    assert overflow.row("sets", "123") == "123"


def test_details_are_found_by_their_anchor():
    overflow = Overflow({"details": 4})
    assert [overflow.detail(f"call-{number}", f"<{number}>") for number in range(3)] == ["<0>", "", ""]
    assert read(overflow, DETAILS_SCRIPT) == {"call-1": "<1>", "call-2": "<2>"}
    assert overflow.count("details") == 2
    assert not overflow.has_rows
    assert not overflow.is_empty


def test_of_a_log_the_end_stays_and_the_beginning_is_kept_escaped():
    overflow = Overflow({"log": 9})
    assert overflow.lines("log", ["<b>", "two", "<i>"]) == "two\n<i>"
    assert read(overflow, ROWS_SCRIPT) == {"log": "&lt;b&gt;\n"}
    assert overflow.count("log") == 1


def test_scripts_are_of_letters_that_every_browser_reads_alike():
    overflow = Overflow({"calls": 0})
    overflow.row("calls", "ü\u2028\ud800")
    assert overflow.scripts()[ROWS_SCRIPT].isascii()
