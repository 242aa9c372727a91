"""Modules that are found by their names without being imported: byte code alone, folders without ``__init__.py``."""

from __future__ import annotations

import py_compile


def changes_of(workshop, path, before, after):
    first = workshop.take()
    workshop.edit(path, before, after)
    return workshop.changed(first)


def test_what_a_late_module_of_byte_code_alone_imports_counts(workshop):
    path = workshop.write(
        "bare.py", "import beside\ndef f():\n    from inner import deep\n    return deep.f() + beside.K\n"
    )
    workshop.settle()
    py_compile.compile(str(path), cfile=str(workshop.root / "bare.pyc"))
    path.unlink()
    workshop.write("beside.py", "K = 1\n")
    workshop.write("inner/__init__.py", "")
    workshop.write("inner/deep.py", "def f(): return 1\ndef g(): return 1\n")
    workshop.write("work.py", "def run():\n    import bare\n    return bare.f()\n")
    assert "beside (whole module)" in changes_of(workshop, "beside.py", "1", "2")
    assert "inner.deep (whole module)" in changes_of(
        workshop, "inner/deep.py", "f(): return 1", "f(): return 2"
    )


def test_folders_without_init_are_followed_at_any_depth_before_they_are_imported(workshop):
    workshop.write("spaces/deep/er/mod.py", "from . import beside\ndef f(): return beside.K\n")
    workshop.write("spaces/deep/er/beside.py", "K = 1\n")
    workshop.write("work.py", "def run():\n    from spaces.deep.er import mod\n    return mod.f()\n")
    assert "spaces.deep.er.beside.K" in changes_of(workshop, "spaces/deep/er/beside.py", "1", "2")
