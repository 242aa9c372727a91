"""Environments differ in Python, machine and packages; what was not kept is not compared."""

from __future__ import annotations

from curifactory.provenance.difference import compare_environments
from curifactory.provenance.environment import read_environment, restore_variables


def test_the_present_environment_differs_in_nothing_from_itself():
    assert compare_environments(read_environment(), read_environment()) == []


def test_what_is_new_changed_or_gone_is_told():
    then = {"python": "3.11", "machine": "x86_64", "packages": {"a": "1", "b": "1"}}
    now = {"python": "3.12", "machine": "x86_64", "packages": {"b": "2", "c": "1"}}
    told = [each.to_json() for each in compare_environments(then, now)]
    assert told == [
        {"name": "python", "then": "3.11", "now": "3.12"},
        {"name": "package a", "then": "1", "now": None},
        {"name": "package b", "then": "1", "now": "2"},
        {"name": "package c", "then": None, "now": "1"},
    ]


def test_packages_that_were_not_kept_are_not_compared():
    assert compare_environments({}, {"python": "3.12", "packages": {"c": "1"}}) == []


def test_variables_that_change_results_are_as_they_were():
    now = {
        "PYTHONHASHSEED": "1",
        "CUDA_VISIBLE_DEVICES": "0",
        "CURIFACTORY_CACHE_PATH": "/a",
        "PATH": "/bin",
        "TZ": "X",
    }
    then = {
        "OMP_NUM_THREADS": "2",
        "CUDA_VISIBLE_DEVICES": "3",
        "CURIFACTORY_DURABLE": "1",
        "VIRTUAL_ENV": "/v",
        "TZ": "********",
    }
    assert restore_variables(now, then) == {
        "CUDA_VISIBLE_DEVICES": "0",
        "PATH": "/bin",
        "OMP_NUM_THREADS": "2",
        "CURIFACTORY_DURABLE": "1",
        "TZ": "X",
    }
