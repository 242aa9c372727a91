"""The templates of the pages: found in the package, everything escaped, compiled once."""

from __future__ import annotations

import functools
import importlib.util
import os
import sys
from typing import TYPE_CHECKING, Any

from curifactory.errors import ReportError

if TYPE_CHECKING:
    from jinja2 import Environment

HOME = os.path.dirname(os.path.abspath(__file__))
TEMPLATES = os.path.join(HOME, "templates")
ASSETS = os.path.join(HOME, "assets")


# In a project's folder of reports: what is there of these names comes in place of ours, or after it.
TEMPLATES_NAME = "templates"
CUSTOM_CSS = "custom.css"


def render_page(template: str, *, templates: str | os.PathLike[str] | None = None, **values: Any) -> str:
    """Render a template of the package, or what a project has in its place.

    Parameters
    ----------
    template : str
        Its file name.
    templates : path, optional
        Folder of templates of one's own; it need not exist. A file there takes the place of ours of the same name, and
        may extend or import ours as ``package/<name>``.
    **values
        What it shows; text is escaped, whatever it says.

    Returns
    -------
    str
        The page.

    Examples
    --------
    >>> page = render_page("latest.html", address="iris_1", reference="<script>")
    >>> "<script>" in page, "&lt;script&gt;" in page
    (False, True)
    """
    if templates is None or not os.path.isdir(templates):
        return _environment().get_template(template).render(**values)
    return _render_own(template, os.fspath(templates), values)


def _render_own(template: str, templates: str, values: dict[str, Any]) -> str:
    import jinja2

    try:
        return _own_environment(templates).get_template(template).render(**values)
    except jinja2.TemplateError as error:
        # Only what a person wrote is looked for anew each time, so only that can be wrong.
        place = getattr(error, "filename", None) or getattr(error, "name", None) or templates
        line = getattr(error, "lineno", None)
        raise ReportError(
            f"A template of the project is wrong ({place}{f', line {line}' if line else ''}): {error}",
            hint=f"Mend it, or take it out of {templates}.",
        ) from error


def read_asset(name: str) -> str:
    """Read a style sheet or script of the package."""
    with open(os.path.join(ASSETS, name), encoding="utf-8") as stream:
        return stream.read()


@functools.cache
def _environment() -> Environment:
    import jinja2

    class CompiledTemplates(jinja2.BytecodeCache):
        """Keeps compiled templates where Python keeps compiled modules, under the same rules."""

        def load_bytecode(self, bucket: Any) -> None:
            try:
                with open(_compiled(bucket.key), "rb") as stream:
                    bucket.load_bytecode(stream)
            except (OSError, EOFError, ValueError, TypeError):
                bucket.reset()

        def dump_bytecode(self, bucket: Any) -> None:
            if sys.dont_write_bytecode:
                return
            target = _compiled(bucket.key)
            partial = f"{target}.{os.getpid()}"
            try:
                os.makedirs(os.path.dirname(target), exist_ok=True)
                with open(partial, "wb") as stream:
                    bucket.write_bytecode(stream)
                os.replace(partial, target)
            except OSError:
                # A package that belongs to somebody else: compile each time.
                return

        def get_bucket(self, environment: Any, name: str, filename: str | None, source: str) -> Any:
            # What was compiled with other options, or by another jinja2, is another program.
            options = (environment.autoescape, environment.trim_blocks, environment.lstrip_blocks)
            return super().get_bucket(environment, name, filename, f"{jinja2.__version__} {options} {source}")

        def get_cache_key(self, name: str, filename: str | None = None) -> str:
            return filename or name

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        bytecode_cache=CompiledTemplates(),
    )


@functools.cache
def _own_environment(templates: str) -> Environment:
    """Give an environment that looks into a project's folder first, and each time anew: people try things out."""
    import jinja2

    ours = jinja2.FileSystemLoader(TEMPLATES)
    both = jinja2.ChoiceLoader(
        [jinja2.FileSystemLoader(templates), jinja2.PrefixLoader({"package": ours}), ours]
    )
    return _environment().overlay(loader=both, auto_reload=True, bytecode_cache=None, cache_size=50)


def _compiled(template: str) -> str:
    return importlib.util.cache_from_source(f"{template}.py")
