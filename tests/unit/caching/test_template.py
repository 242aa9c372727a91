from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from curifactory.caching.template import KEYS, check_template, expand_template, template_extension
from curifactory.errors import CacheError, DefinitionError


@dataclass
class Inner:
    depth: int = 3


class Plain:
    pass


@dataclass
class Params:
    name: str = "simple/lr"
    n: int = 7
    rate: float = 0.5
    inner: Inner = field(default_factory=Inner)
    tree: dict = field(default_factory=lambda: {"a": {"b": "deep"}})
    folder: str = "data/models"
    outside: str = "../secrets"
    zero: str = "a\0b"
    thing: object = field(default_factory=Plain)
    kind: type = Inner
    nothing: object = None

    def method(self):
        return "called"


VALUES = {
    "hash": "0a1b",
    "cache": "/data/cache",
    "stage": "train",
    "name": "model",
    "experiment": "iris",
    "artifact_filename": "iris_0a1b_train_model.pkl",
    "params": Params(),
}


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("plain.pkl", "plain.pkl"),
        ("{cache}/{artifact_filename}", "/data/cache/iris_0a1b_train_model.pkl"),
        ("{experiment}/{stage}/{name}_{hash}.pkl", "iris/train/model_0a1b.pkl"),
        ("{params.n}_{params.rate}_{params.inner.depth}", "7_0.5_3"),
        ("{params.n:03d}_{params.rate:.3f}", "007_0.500"),
        ("{params.tree.a.b}", "deep"),
        ("{params.folder}/x", "data/models/x"),
        ("{params.kind}", "Inner"),
        ("{params.nothing}", "None"),
        ("{{literal}}_{name}", "{literal}_model"),
    ],
)
def test_keys_are_filled_in(template, path):
    check_template(template)
    assert expand_template(template, VALUES) == path


@pytest.mark.parametrize(
    "template",
    [
        "{nam}",
        "{record}",
        "{params}",
        "{params.}",
        "{params.__class__}",
        "{params.inner.__dict__}",
        "{params._hidden}",
        "{params[n]}",
        "{params.tree[a]}",
        "{name.upper}",
        "{name!r}",
        "{params.n:{params.n}}",
        "{}",
        "{0}",
        "{name",
        "name}",
    ],
)
def test_anything_but_the_keys_is_refused_with_their_names(template):
    with pytest.raises(DefinitionError) as caught:
        check_template(template)
    assert repr(template) in str(caught.value)
    if "no template" not in str(caught.value):
        assert all(key in str(caught.value) for key in KEYS)
    with pytest.raises(DefinitionError):
        expand_template(template, VALUES)


@pytest.mark.parametrize("name", ["missing", "inner.missing", "tree.a.c", "n.real.missing"])
def test_a_parameter_that_is_not_there_is_named(name):
    with pytest.raises(DefinitionError, match=f"'{name.rpartition('.')[2]}'"):
        expand_template(f"{{params.{name}}}", VALUES)


@pytest.mark.parametrize("name", ["outside", "zero", "thing", "method"])
def test_a_parameter_that_leaves_the_folder_or_has_no_text_is_refused(name):
    with pytest.raises(CacheError, match=f"params.{name}"):
        expand_template(f"x/{{params.{name}}}", VALUES)


def test_names_cannot_leave_their_folder():
    strange = {**VALUES, "name": "../../model", "stage": "a/b", "experiment": "sub/iris"}
    path = Path(expand_template("{experiment}/{stage}/{name}/{params.name}", strange))
    assert len(path.parts) == 4
    assert ".." not in path.parts


@pytest.mark.parametrize(
    ("template", "extension"),
    [
        ("a/b.json", ".json"),
        ("a.b/c", ""),
        ("{name}", ""),
        ("{name}.pkl", ".pkl"),
        ("{name}.{params.rate}", ""),
        ("{params.rate}", ""),
        ("{cache}/{artifact_filename}", ".own"),
        ("{artifact_filename}.gz", ".gz"),
        ("a/.hidden", ""),
        ("{cache}/.hidden", ""),
    ],
)
def test_the_extension_is_what_is_written_out(template, extension):
    assert template_extension(template, ".own") == extension
