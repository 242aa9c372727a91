"""The templates of the pages: found in the package, everything escaped, compiled once."""

from __future__ import annotations

import functools
import importlib.util
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

HOME = os.path.dirname(os.path.abspath(__file__))
TEMPLATES = os.path.join(HOME, "templates")
ASSETS = os.path.join(HOME, "assets")


def render_page(template: str, **values: Any) -> str:
    """Render a template of the package.

    Parameters
    ----------
    template : str
        Its file name.
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
    return _environment().get_template(template).render(**values)


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


def _compiled(template: str) -> str:
    return importlib.util.cache_from_source(f"{template}.py")
