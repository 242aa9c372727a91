"""What all tests share: a throwaway project, a browser, and nothing that leaks from one test into the next."""

from __future__ import annotations

import atexit
import functools
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType

    from playwright.sync_api import Browser, Page, Request, Route

ROOT = Path(__file__).resolve().parent.parent
IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
# A case that is slow once, on a machine that others use too, is no counterexample. In CI hypothesis says so itself.
if not IN_CI:
    hypothesis.settings.register_profile("here", deadline=None)
    hypothesis.settings.load_profile("here")

# A shell ignores Ctrl-C on behalf of what it starts in the background, and so would all commands that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# What curifactory keeps of a person, such as the secret that marks stores, must not come from or go to the real one.
os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp(prefix="curifactory-tests-")
atexit.register(shutil.rmtree, os.environ["XDG_CONFIG_HOME"], ignore_errors=True)

# With -P the working folder is not put on the path, just as when the installed script is called.
INTERPRETER = [sys.executable, "-P", "-m"]
BROWSER_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]
HERE = ("file:", "data:", "blob:", "about:", "http://127.0.0.1:", "http://localhost:")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Let a worker that has nothing to do take over tests of another one: some take a minute, most a millisecond."""
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log)


def load_file(path: str) -> Any:
    """Load a file by its place below ``tests/``, once for all: folders of tests are no packages to import from."""
    name = f"curifactory_tests_{Path(path).stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, ROOT / "tests" / path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


@functools.cache
def is_installed() -> bool:
    """Say whether an interpreter that is told nothing finds the curifactory that is tested here.

    It may find another checkout, installed as editable: commands would then be tested that nobody has changed.
    """
    spec = importlib.util.find_spec("curifactory")
    if spec is None or spec.origin is None:
        return False
    asked = "import importlib.util as u; s = u.find_spec('curifactory'); print(s.origin if s else '')"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    # Outside of the checkout: the working folder is not where it is to be found.
    done = subprocess.run(
        [sys.executable, "-P", "-c", asked],
        cwd=tempfile.gettempdir(),
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    found = done.stdout.strip()
    return bool(found) and Path(found).samefile(spec.origin)


def make_environment(**changes: str | None) -> dict[str, str]:
    """Give the environment for a command: ours, without what would make it behave otherwise than a person's."""
    dropped = ("PYTHON", "GIT_", "CURIFACTORY_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    for name in (
        "FORCE_COLOR",
        "NO_COLOR",
        "COLUMNS",
        "LOCAL_RANK",
        "NODE_RANK",
        "RANK",
        "PYTEST_CURRENT_TEST",
        # A cluster of Dask leaves these behind in the process that has started it.
        "MALLOC_TRIM_THRESHOLD_",
        "MKL_NUM_THREADS",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
    ):
        environment.pop(name, None)
    environment |= {
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.org",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "MPLBACKEND": "Agg",
        "PYTHONIOENCODING": "utf-8",
    }
    if not is_installed():
        environment["PYTHONPATH"] = str(ROOT)
    for name, value in changes.items():
        if value is None:
            environment.pop(name, None)
        else:
            environment[name] = value
    return environment


@dataclass(frozen=True)
class Finished:
    """A command that has ended."""

    command: list[str]
    returncode: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        """Everything that it wrote, for a person to read when a test fails."""
        return f"$ {' '.join(self.command)}\n{self.stdout}{self.stderr}[exit {self.returncode}]"


@dataclass
class Project:
    """A project of its own in a temporary folder, and the real commands in it.

    Parameters
    ----------
    root : Path
        The folder; its ``pyproject.toml`` has a ``[tool.curifactory]`` section, so nothing above it is looked at.
    """

    root: Path
    environment: dict[str, str] = field(default_factory=make_environment)

    def write(self, path: str, text: str) -> Path:
        """Write a file and the folders above it.

        Byte code of an earlier version goes: Python tells versions apart by size and second, too coarse for tests.
        """
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        if target.suffix == ".py":
            Path(importlib.util.cache_from_source(str(target))).unlink(missing_ok=True)
        return target

    def write_all(self, files: Mapping[str, str]) -> None:
        """Write many files, from a mapping of path to text."""
        for path, text in files.items():
            self.write(path, text)

    def run(
        self,
        *command: str,
        check: bool = True,
        timeout_s: float = 90,
        env: Mapping[str, str | None] | None = None,
    ) -> Finished:
        """Run a command in the project and wait for it.

        Parameters
        ----------
        check : bool
            Fail the test, with all that was written, unless the exit code is 0.
        env : mapping, optional
            Changes to the environment; None takes a variable away.
        """
        environment = dict(self.environment)
        for name, value in (env or {}).items():
            environment.pop(name, None)
            if value is not None:
                environment[name] = value
        process = subprocess.run(
            command,
            cwd=self.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=timeout_s,
            check=False,
        )
        finished = Finished(list(command), process.returncode, process.stdout, process.stderr)
        if check and finished.returncode != 0:
            pytest.fail(finished.output, pytrace=False)
        return finished

    def experiment(
        self,
        *arguments: str,
        check: bool = True,
        timeout_s: float = 90,
        env: Mapping[str, str | None] | None = None,
    ) -> Finished:
        """Run ``experiment …``; see `run`."""
        return self.run(
            *INTERPRETER,
            "curifactory.cli.experiment",
            *arguments,
            check=check,
            timeout_s=timeout_s,
            env=env,
        )

    def curifactory(self, *arguments: str, check: bool = True, timeout_s: float = 90) -> Finished:
        """Run ``curifactory …``; see `run`."""
        return self.run(
            *INTERPRETER, "curifactory.cli.curifactory", *arguments, check=check, timeout_s=timeout_s
        )

    def git(self, *arguments: str) -> Finished:
        """Run git in the project, as somebody with a name and without a person's settings."""
        return self.run("git", "-c", "init.defaultBranch=main", *arguments)

    def files(self, under: str = ".") -> dict[str, str]:
        """List every file below a folder with its digest; folders that are empty end in ``/``.

        Byte code and git's own files are left out: they change when nobody means to change anything.
        """
        found: dict[str, str] = {}
        for path in sorted((self.root / under).rglob("*")):
            if {"__pycache__", ".git"} & set(path.relative_to(self.root).parts):
                continue
            name = path.relative_to(self.root).as_posix()
            if path.is_symlink():
                found[name] = f"-> {path.readlink()}"
            elif path.is_file():
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
            elif not any(path.iterdir()):
                found[name + "/"] = ""
        return found


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Give an empty project: a ``pyproject.toml``, ``experiments/`` and ``params/``."""
    made = Project(tmp_path / "project")
    made.write("pyproject.toml", "[tool.curifactory]\n")
    for folder in ("experiments", "params"):
        (made.root / folder).mkdir()
    return made


def is_inside(module: ModuleType, folders: tuple[str, ...]) -> bool:
    """Say whether a module was loaded from below one of the folders."""
    # Not `getattr`: some packages put objects into sys.modules that answer to every name.
    names = vars(module)
    places = [names.get("__file__"), *(names.get("__path__") or ())]
    return any(str(place).startswith(folders) for place in places if place)


@pytest.fixture(autouse=True)
def _forget_projects(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Put ``sys.path``, ``sys.modules`` and the working folder back after each test.

    Two projects both have a module ``experiments.iris``; the second must not be given the first one's.
    """
    folders = (str(tmp_path_factory.getbasetemp()), str(ROOT / "experiments"), str(ROOT / "params"))
    path, modules, folder = list(sys.path), set(sys.modules), Path.cwd()
    yield
    os.chdir(folder)
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if is_inside(sys.modules[name], folders):
            del sys.modules[name]
    for place in [place for place in sys.path_importer_cache if place.startswith(folders)]:
        del sys.path_importer_cache[place]


@dataclass
class Chromium:
    """A page of a real browser that reaches nothing outside this machine.

    Parameters
    ----------
    page : playwright.sync_api.Page
        The page; open a report with ``page.goto(path.as_uri())``.
    requests : list of str
        Every address that the page asked for, its own files included.
    blocked : list of str
        Those that were refused, as they are neither files nor on loopback. A report must leave this empty.
    problems : list of str
        Errors that scripts raised or the console showed.
    """

    page: Page
    requests: list[str] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Begin to note requests and errors, and to refuse the network."""
        self.page.on("request", self._note)
        self.page.on("websocket", lambda socket: self.requests.append(socket.url))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", lambda line: line.type == "error" and self.problems.append(line.text))
        self.page.context.route("**/*", self._decide)

    def look_at(self, path: Path) -> Iterator[Page]:
        """Open a page, and say afterwards whether it was quiet: no errors, and nothing asked of the network."""
        self.page.goto(path.as_uri())
        yield self.page
        assert self.blocked == []
        assert self.problems == []
        assert all(request.startswith(("file:", "data:")) for request in self.requests)

    def _note(self, request: Request) -> None:
        self.requests.append(request.url)

    def _decide(self, route: Route) -> None:
        address = route.request.url
        if address.startswith(HERE):
            route.continue_()
        else:
            self.blocked.append(address)
            route.abort()


# Not for the whole session: while a browser is open its event loop runs, and notebooks could not start theirs.
@pytest.fixture(scope="module")
def _browser() -> Iterator[Browser]:
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        missing = "no chromium on this machine: apt-get install chromium"
        if IN_CI:
            # A skip would hide that nobody has looked at the reports.
            pytest.fail(missing)
        pytest.skip(missing)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=BROWSER_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def chromium(_browser: Browser) -> Iterator[Chromium]:
    """Give a fresh page of a real browser that notes and refuses what would go to the network."""
    context = _browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(60_000)
    chromium = Chromium(context.new_page())
    chromium.watch()
    yield chromium
    context.close()
