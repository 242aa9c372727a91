"""Real repositories, made in a temporary folder and untouched by the configuration of who runs the tests."""

import os
import subprocess

import pytest


def run_git(folder, *arguments):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_AUTHOR_NAME": "Ann",
        "GIT_AUTHOR_EMAIL": "ann@example.org",
        "GIT_COMMITTER_NAME": "Ann",
        "GIT_COMMITTER_EMAIL": "ann@example.org",
    }
    command = ["git", "-c", "protocol.file.allow=always", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    run_git(folder, "init", "-q", "-b", "main")
    return folder


@pytest.fixture
def committed(repository):
    (repository / "a.py").write_text("one = 1\n")
    (repository / ".gitignore").write_text("/ignored/\n")
    run_git(repository, "add", ".")
    run_git(repository, "commit", "-q", "-m", "first")
    return repository


@pytest.fixture
def git():
    """Run git in a folder: ``git(folder, "commit", …)``."""
    return run_git
