"""Settings come from several places, in order, and all their faults are told at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from curifactory.errors import ConfigurationError
from curifactory.project.sources import read_settings


def write_toml(root: Path, text: str) -> None:
    (root / "pyproject.toml").write_text(f"[tool.curifactory]\n{text}", encoding="utf-8")


def write_json(root: Path, **settings: object) -> None:
    (root / "curifactory_config.json").write_text(json.dumps(settings), encoding="utf-8")


def test_defaults_are_below_the_root(tmp_path: Path) -> None:
    read = read_settings(tmp_path, environment={})
    assert read.settings.cache_path == tmp_path / "data" / "cache"
    assert read.settings.report_css_path == tmp_path / "reports" / "style.css"
    assert set(read.sources.values()) == {"default"}


def test_each_place_wins_over_the_next(tmp_path: Path) -> None:
    write_json(tmp_path, cache_path="json", runs_path="json", reports_path="json", notebooks_path="json")
    write_toml(tmp_path, "cache_path = 'toml'\nruns_path = 'toml'\nreports_path = 'toml'\n")
    environment = {"CURIFACTORY_CACHE_PATH": "environment", "CURIFACTORY_RUNS_PATH": "environment"}
    read = read_settings(tmp_path, environment=environment, overrides={"cache_path": Path("/typed")})
    settings = read.settings
    assert settings.cache_path == Path("/typed")
    assert settings.runs_path == tmp_path / "environment"
    assert settings.reports_path == tmp_path / "toml"
    assert settings.notebooks_path == tmp_path / "json"
    assert [read.sources[name] for name in ("cache_path", "runs_path", "reports_path", "notebooks_path")] == [
        "command line",
        "CURIFACTORY_RUNS_PATH",
        "pyproject.toml",
        "curifactory_config.json",
    ]


def test_the_file_that_the_older_init_wrote_is_taken_as_it_is(tmp_path: Path) -> None:
    write_json(
        tmp_path,
        experiments_module_name="experiments",
        params_module_name="params",
        manager_cache_path="data/",
        cache_path="data/cache/",
        runs_path="data/runs/",
        logs_path="logs/",
        notebooks_path="notebooks/",
        reports_path="reports/",
        report_css_path="reports/style.css",
    )
    assert read_settings(tmp_path, environment={}).settings.cache_path == tmp_path / "data" / "cache"


def test_folders_follow_the_folder_that_was_set(tmp_path: Path) -> None:
    write_toml(tmp_path, "manager_cache_path = 'store'\nreports_path = 'pages'\n")
    settings = read_settings(tmp_path, environment={}).settings
    assert settings.cache_path == tmp_path / "store" / "cache"
    assert settings.runs_path == tmp_path / "store" / "runs"
    assert settings.report_css_path == tmp_path / "pages" / "style.css"


def test_a_home_folder_and_dots_are_resolved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    write_toml(tmp_path, "cache_path = '~/cache'\nruns_path = '../runs'\n")
    settings = read_settings(tmp_path, environment={}).settings
    assert settings.cache_path == tmp_path / "home" / "cache"
    assert settings.runs_path == tmp_path.parent / "runs"


@pytest.mark.parametrize(
    ("word", "value"),
    [("1", True), ("yes", True), ("ON", True), ("0", False), ("False", False), ("off", False)],
)
def test_a_truth_value_in_the_environment_is_read(tmp_path: Path, word: str, value: bool) -> None:
    assert read_settings(tmp_path, environment={"CURIFACTORY_DURABLE": word}).settings.durable is value


def test_a_list_in_the_environment_is_split(tmp_path: Path) -> None:
    settings = read_settings(tmp_path, environment={"CURIFACTORY_FINGERPRINT": "models, tools ,"}).settings
    assert settings.fingerprint == ("models", "tools")


def test_a_number_in_the_environment_is_read(tmp_path: Path) -> None:
    assert read_settings(tmp_path, environment={"CURIFACTORY_TRASH_DAYS": " 30"}).settings.trash_days == 30
    with pytest.raises(ConfigurationError, match="trash_days is 'soon', a text"):
        read_settings(tmp_path, environment={"CURIFACTORY_TRASH_DAYS": "soon"})


def test_an_empty_variable_is_none(tmp_path: Path) -> None:
    assert (
        read_settings(tmp_path, environment={"CURIFACTORY_CACHE_PATH": ""}).sources["cache_path"] == "default"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cach_path = 'x'", "pyproject.toml: there is no setting 'cach_path'. Did you mean 'cache_path'?"),
        ("durable = 1", "pyproject.toml: durable is 1, a number; it must be true or false."),
        (
            "trash_days = -1",
            "pyproject.toml: trash_days is -1, a number; it must be a whole number, 0 or more.",
        ),
        ("trash_days = true", "it must be a whole number, 0 or more."),
        ("cache_path = 3", "pyproject.toml: cache_path is 3, a number; it must be a path."),
        ("cache_path = ''", "it must be a path."),
        (
            "fingerprint = 'models'",
            "pyproject.toml: fingerprint is 'models', a text; it must be a list of names.",
        ),
        (
            "experiments_module_name = 'my experiments'",
            "it must be a dotted module name such as 'experiments'.",
        ),
        ("experiments_module_name = '../x'", "it must be a dotted module name such as 'experiments'."),
        ("cache_path = \nx = 1", "pyproject.toml is no valid TOML: Invalid value (at line 2"),
    ],
)
def test_a_fault_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    write_toml(tmp_path, text)
    with pytest.raises(ConfigurationError) as raised:
        read_settings(tmp_path, environment={})
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "curifactory_config.json is no valid JSON: "),
        ("[1]", "curifactory_config.json holds a list; write an object of settings."),
        ('{"cache_path": null}', "curifactory_config.json: cache_path is None, nothing; it must be a path."),
    ],
)
def test_a_fault_of_the_older_file_is_told(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "curifactory_config.json").write_text(text)
    with pytest.raises(ConfigurationError) as raised:
        read_settings(tmp_path, environment={})
    assert said in str(raised.value)


def test_the_section_must_be_a_table(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool]\ncurifactory = 3\n")
    with pytest.raises(ConfigurationError, match=r"write it as a section \[tool.curifactory\]"):
        read_settings(tmp_path, environment={})


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    write_json(tmp_path, run_path="x")
    write_toml(tmp_path, "durable = 'perhaps'\nlogs = 'x'\n")
    with pytest.raises(ConfigurationError) as raised:
        read_settings(tmp_path, environment={"CURIFACTORY_DURABLE": "sometimes"})
    lines = str(raised.value).split("\n")
    assert lines[0] == "The settings have 4 faults:"
    assert [line.split(":")[0].strip() for line in lines[1:]] == [
        "curifactory_config.json",
        "pyproject.toml",
        "pyproject.toml",
        "CURIFACTORY_DURABLE",
    ]
