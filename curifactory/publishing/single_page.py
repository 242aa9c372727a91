"""A report as one HTML file: its styles, scripts, pictures and files become parts of the page."""

from __future__ import annotations

import base64
import hashlib
import mimetypes
import os
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

_POLICY = "Content-Security-Policy"
# What holds an address of a file that the page shows or hands out.
_SHOWN = {
    "img": ("src",),
    "video": ("src", "poster"),
    "audio": ("src",),
    "source": ("src",),
    "iframe": ("src",),
}
_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".diff": "text/plain",
    ".log": "text/plain",
}


def render_single_page(page: Path, folder: Path) -> str:
    """Return a page with everything that it takes from files put into it.

    Parameters
    ----------
    page : Path
        The page.
    folder : Path
        Only files below it are put in. Links to other pages become text: they would lead nowhere.

    Returns
    -------
    str
        A page that needs no other file and no network.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = Path(folder, "index.html")
    ...     _ = Path(folder, "a.css").write_text("p {color: red}")
    ...     _ = page.write_text('<link rel="stylesheet" href="a.css"><p>text &amp; more</p>')
    ...     render_single_page(page, Path(folder))
    '<style>p {color: red}</style><p>text &amp; more</p>'
    """
    inliner = _Inliner(page.parent, folder)
    inliner.feed(page.read_text(encoding="utf-8"))
    inliner.close()
    return inliner.result()


class _Inliner(HTMLParser):
    """Writes a page again as it is read; only tags with addresses of files become others."""

    def __init__(self, base: Path, folder: Path) -> None:
        super().__init__(convert_charrefs=False)
        self._base = base
        self._folder = folder.resolve()
        self._pieces: list[str] = []
        self._policy: tuple[int, str] | None = None
        self._deferred: list[str] = []
        self._scripts: list[str] = []
        self._skips_script = False
        self._is_dead_link = False
        self._has_data_scripts = False

    def result(self) -> str:
        """Return the whole page."""
        if self._policy is not None:
            place, policy = self._policy
            self._pieces[place] = f'<meta http-equiv="{_POLICY}" content="{escape(self._allow(policy))}">'
        return "".join(self._pieces)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Write a tag, or what stands in its place."""
        given = {name: value or "" for name, value in attrs}
        if tag == "meta" and given.get("http-equiv") == _POLICY:
            self._policy = len(self._pieces), given.get("content", "")
            self._pieces.append("")
        elif tag == "link" and given.get("rel") == "stylesheet" and (data := self._read(given.get("href"))):
            text = data.decode("utf-8", "replace").replace("</style", "<\\/style")
            self._pieces.append(f"<style>{text}</style>")
        elif tag == "script" and (data := self._read(given.get("src"))) is not None:
            self._take_script(data.decode("utf-8", "replace"), given)
        else:
            self._pieces.append(self._write_tag(tag, attrs))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Write a tag that closes itself."""
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """Write the end of a tag; what was deferred runs where the page ends."""
        if tag == "script" and self._skips_script:
            self._skips_script = False
            return
        if tag == "body":
            self._pieces += self._deferred
            self._deferred = []
        if tag == "a" and self._is_dead_link:
            self._is_dead_link = False
            tag = "span"
        self._pieces.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        """Write text as it is."""
        if not self._skips_script:
            self._pieces.append(data)

    def handle_entityref(self, name: str) -> None:
        """Write a named character."""
        self._pieces.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        """Write a numbered character."""
        self._pieces.append(f"&#{name};")

    def handle_comment(self, data: str) -> None:
        """Write a comment."""
        self._pieces.append(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        """Write the type of the document."""
        self._pieces.append(f"<!{decl}>")

    def _write_tag(self, tag: str, attrs: list[tuple[str, str | None]]) -> str:
        changed = self._change(tag, attrs)
        if tag == "a" and len(changed) < len(attrs):
            self._is_dead_link = True
            tag = "span"
        if changed == attrs:
            return self.get_starttag_text() or ""
        words = [name if value is None else f'{name}="{escape(value)}"' for name, value in changed]
        return f"<{' '.join([tag, *words])}>"

    def _change(self, tag: str, attrs: list[tuple[str, str | None]]) -> list[tuple[str, str | None]]:
        given = dict(attrs)
        if tag == "a" and _is_local(given.get("href")):
            data = self._address(given["href"])
            rest = [pair for pair in attrs if pair[0] not in {"href", "download"}]
            if data is None:
                return rest
            name = given.get("download") or os.path.basename(unquote(given["href"] or ""))
            return [*rest, ("href", data), ("download", name)]
        changed = []
        for name, value in attrs:
            shown = name in _SHOWN.get(tag, ()) and _is_local(value)
            scripted = name.startswith("data-") and (value or "").endswith(".js") and _is_local(value)
            data = self._address(value) if shown or scripted else None
            if data is not None and scripted:
                self._has_data_scripts = True
            changed.append((name, value if data is None else data))
        return changed

    def _take_script(self, text: str, given: dict[str, str]) -> None:
        self._skips_script = True
        text = text.replace("</script", "<\\/script").replace("<!--", "<\\!--")
        kept = [(name, value) for name, value in given.items() if name not in {"src", "defer", "async"}]
        words = "".join(
            f' {name}="{escape(value or "")}"' for name, value in self._change("script", list(kept))
        )
        self._scripts.append(text)
        (self._deferred if "defer" in given else self._pieces).append(f"<script{words}>{text}</script>")

    def _allow(self, policy: str) -> str:
        """Return the page's policy with just the scripts in it allowed, each by its digest."""
        digests = [
            base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in self._scripts
        ]
        allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
        parts = []
        for part in policy.split(";"):
            words = part.split()
            if words[:1] == ["script-src"]:
                kept = [word for word in words[1:] if word not in {"'self'", "file:"}]
                kept += ["data:"] if self._has_data_scripts else []
                words = ["script-src", *kept, allowed]
            parts.append(" ".join(words))
        return "; ".join(filter(None, parts))

    def _address(self, address: str | None) -> str | None:
        data = self._read(address)
        if data is None or address is None or address.endswith(".html"):
            return None
        suffix = os.path.splitext(unquote(address))[1]
        kind = _TYPES.get(suffix) or mimetypes.guess_type(f"file{suffix}")[0] or "application/octet-stream"
        return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"

    def _read(self, address: str | None) -> bytes | None:
        if address is None or not _is_local(address):
            return None
        path = (self._base / unquote(address.partition("#")[0].partition("?")[0])).resolve()
        if not path.is_relative_to(self._folder) or not path.is_file():
            return None
        return path.read_bytes()


def _is_local(address: str | None) -> bool:
    """Say whether an address is that of a file beside the page.

    Examples
    --------
    >>> [
    ...     _is_local(address)
    ...     for address in ("page.css", "#calls", "data:,", "https://example.org/", "//example.org")
    ... ]
    [True, False, False, False, False]
    """
    if not address or address.startswith(("#", "//")):
        return False
    return ":" not in address.partition("/")[0]
