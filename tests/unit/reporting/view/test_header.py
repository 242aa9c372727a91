import pytest

from curifactory.reporting.view.header import gather_header
from curifactory.store.run import Run


def header_of(folder_in_the_making):
    return gather_header(Run.read(folder_in_the_making.write()))


def test_the_head_says_what_ran_and_how_it_ended(iris):
    head = header_of(iris)
    assert (head.experiment, head.number, head.outcome, head.style) == ("iris", "4", "complete", "complete")
    assert head.about == "Which model tells the three species of iris apart best?"
    assert (head.started, head.duration, head.command) == (
        "21 Nov 2026, 10:15:00",
        "3.4 s",
        "experiment iris -p iris",
    )
    assert [(share.outcome, share.count) for share in head.shares] == [("ran", 5), ("reused", 2)]
    assert head.calls == 7


def test_the_commit_says_what_it_does_not_hold(iris):
    commit = header_of(iris).commit
    assert (commit.short, commit.branch, commit.dirty) == ("3f2a9c1b7d", "main", True)
    assert commit.remark == "uncommitted changes, 1 untracked file"


@pytest.mark.parametrize("git", [None, {}, {"commit": None, "branch": "main"}])
def test_without_a_commit_there_is_none(iris, git):
    iris.facts["git"] = git
    assert header_of(iris).commit is None


def test_a_run_whose_process_is_gone_was_interrupted(empty_run):
    empty_run.facts = {"outcome": "running", "pid": 2**22 + 5, "finished_at": None, "duration_s": None}
    from curifactory.store.process import process_facts

    empty_run.facts |= {name: value for name, value in process_facts().items() if name != "pid"}
    head = header_of(empty_run)
    assert (head.outcome, head.ended, head.duration) == ("interrupted", True, "")


def test_a_live_session_has_no_end(empty_run):
    empty_run.facts = {"outcome": "live", "live": True, "seed": 0}
    head = header_of(empty_run)
    assert (head.outcome, head.ended, head.live, head.seed) == ("live", False, True, "0")


def test_facts_that_are_missing_are_left_out(empty_run):
    folder = empty_run.write()
    (folder / "run.json").write_text('{"format": 1, "outcome": "complete"}', encoding="utf-8")
    head = gather_header(Run.read(folder))
    assert (head.reference, head.experiment, head.number, head.command) == (folder.name, "(no name)", "", "")
