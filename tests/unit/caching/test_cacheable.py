from __future__ import annotations

import copy
import os
import pickle
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from curifactory.caching import Cacheable, JsonCacher, PickleCacher, Placement
from curifactory.errors import CacheError, DefinitionError

NAMES = {"experiment": "iris", "params_hash": "0a1b", "stage": "train", "output": "model"}


def label(cacher, *, params=None, cache_folder="/data/cache", **changes):
    return cacher.label_for(**{**NAMES, **changes}, params=params, cache_folder=cache_folder)


class Text(Cacheable):
    extension = ".txt"

    def save(self, obj):
        Path(self.get_path()).write_text(obj)
        if obj == "torn":
            raise RuntimeError("the disk is full")

    def load(self):
        return Path(self.get_path()).read_text()


class Marked(Text):
    """Keeps a note in its metadata, also without a stage."""

    def save(self, obj):
        super().save(obj)
        self.extra_metadata["length"] = len(obj)
        self.save_metadata()

    def load(self):
        self.load_metadata()
        return super().load()


@dataclass
class Params:
    name: str = "simple"
    overwrite: bool = False


class RecordInAFolder:
    """As much of a record as a cacher asks for."""

    def __init__(self, folder, params):
        self.params = params
        self.folder = folder
        self.manager = SimpleNamespace(
            experiment_name="iris", current_stage_name="train", cache_path=str(folder)
        )

    def get_hash(self):
        return "0a1b"

    def get_path(self, name, subdir=None, prefix=None, stage_name=None, track=True):
        folder = self.folder / subdir if subdir else self.folder
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder / f"{prefix or 'iris'}_0a1b_train_{name}")


# ----------------------------------------------------------------------------------------------------------- labels


def test_a_label_says_experiment_hash_stage_and_output():
    assert label(Text()) == "iris_0a1b_train_model"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"prefix": "shared"}, "shared_0a1b_train_model"),
        ({"subdir": "a/b"}, "a/b/iris_0a1b_train_model"),
        ({"name": "other"}, "iris_0a1b_train_other"),
        ({"path_override": "{cache}/best.txt"}, "best"),
        ({"path_override": "/models/{params.name}.txt"}, "/models/simple"),
    ],
)
def test_arguments_change_the_label(arguments, expected):
    assert label(Text(**arguments), params=Params()) == expected


def test_the_extension_of_an_output_name_is_not_doubled(tmp_path):
    cacher = Text()
    cacher.place(Placement(label(cacher, output="note.txt"), str(tmp_path)))
    assert cacher.get_path() == f"{tmp_path}/iris_0a1b_train_note.txt"


@pytest.mark.parametrize("strange", ["../x", "/etc/passwd", "a\0b", "x" * 300, "..", ""])
def test_a_label_never_leaves_the_cache_folder(strange):
    made = label(
        Text(prefix=strange or None),
        experiment=strange,
        stage=strange,
        output=strange or "o",
        params_hash=strange,
    )
    assert "/" not in made
    assert "\0" not in made
    assert len(made.encode()) < 230


@pytest.mark.parametrize("extension", ["dat", ".dat"])
def test_an_extension_may_be_given_without_its_dot(extension, tmp_path):
    cacher = Text(extension=extension)
    cacher.place(Placement("x", str(tmp_path)))
    assert cacher.get_path() == f"{tmp_path}/x.dat"


@pytest.mark.parametrize("subdir", ["../up", "/abs"])
def test_a_subdir_that_leaves_the_cache_is_refused_when_it_is_written(subdir):
    with pytest.raises(DefinitionError):
        Text(subdir=subdir)


# ------------------------------------------------------------------------------------------------------------ paths


def test_an_explicit_suffix_cuts_off_the_extension_of_an_override():
    cacher = Text("some/file.csv")
    assert cacher.get_path() == "some/file.csv"
    assert cacher.get_path("_index.json") == "some/file_index.json"
    assert cacher.get_path("") == "some/file"


def test_an_override_gets_no_extension():
    assert Text("some/file").get_path() == "some/file"
    assert Text(Path("some/file")).get_path() == "some/file"


def test_braces_in_a_path_without_a_record_are_taken_literally(tmp_path):
    cacher = Text(tmp_path / "{odd}.txt")
    cacher.save("x")
    assert os.listdir(tmp_path) == ["{odd}.txt"]


@pytest.mark.parametrize("cacher", [Text(), Text(name="x")])
def test_a_cacher_that_knows_no_place_says_so(cacher):
    with pytest.raises(CacheError, match="does not know where its file lies"):
        cacher.get_path()


def test_the_path_points_into_staging_only_while_saving(tmp_path):
    cacher = Text()
    placement = Placement(label(cacher), "/data/cache", staging=str(tmp_path))
    cacher.place(placement)
    cacher.save("x")
    assert cacher.cache_paths == ["/data/cache/iris_0a1b_train_model.txt"]
    assert placement.staged == {
        str(tmp_path / "iris_0a1b_train_model.txt"): "/data/cache/iris_0a1b_train_model.txt"
    }
    placement.staging = None
    assert cacher.get_path() == "/data/cache/iris_0a1b_train_model.txt"


def test_an_override_is_placed_with_its_own_extension(tmp_path):
    cacher = Text("{cache}/best/{name}.md")
    cacher.place(Placement(label(cacher, cache_folder=str(tmp_path)), str(tmp_path)))
    assert cacher.get_path() == f"{tmp_path}/best/model.md"
    assert cacher.get_path("_more.txt") == f"{tmp_path}/best/model_more.txt"


def test_get_dir_makes_the_folder(tmp_path):
    cacher = Text()
    cacher.place(Placement("sub/x", "/data/cache", staging=str(tmp_path)))
    folder = cacher.get_dir("_parts")
    assert os.path.isdir(folder)
    assert cacher.placement.staged == {folder: "/data/cache/sub/x_parts"}


# --------------------------------------------------------------------------------------------------- without a stage


def test_a_save_that_raises_halfway_keeps_the_earlier_file(tmp_path):
    path = tmp_path / "note.txt"
    Text(path).save("whole")
    with pytest.raises(RuntimeError):
        Text(path).save("torn")
    assert path.read_text() == "whole"
    assert os.listdir(tmp_path) == ["note.txt"]


def test_a_first_save_that_raises_leaves_nothing(tmp_path):
    cacher = Text(tmp_path / "note.txt")
    with pytest.raises(RuntimeError):
        cacher.save("torn")
    assert os.listdir(tmp_path) == []
    assert not cacher.check()
    cacher.save("whole")
    assert cacher.load() == "whole"


def test_a_save_that_calls_its_base_is_one_save(tmp_path):
    cacher = Marked(tmp_path / "note.txt")
    with pytest.raises(RuntimeError):
        cacher.save("torn")
    assert os.listdir(tmp_path) == []
    cacher.save("hello")
    assert sorted(os.listdir(tmp_path)) == ["note.txt", "note_metadata.json"]


def test_a_save_that_is_mixed_in_is_whole_too(tmp_path):
    class Saves:
        def save(self, obj):
            Path(self.get_path()).write_text(obj)
            raise RuntimeError("half")

    class Mixed(Saves, Text):
        pass

    with pytest.raises(RuntimeError):
        Mixed(tmp_path / "x").save("torn")
    assert os.listdir(tmp_path) == []


def test_the_path_that_a_save_returns_is_the_final_one(tmp_path):
    assert JsonCacher(tmp_path / "a.json").save([1]) == str(tmp_path / "a.json")


def test_metadata_comes_back_from_beside_the_file(tmp_path):
    Marked(tmp_path / "note.txt").save("hello")
    cacher = Marked(tmp_path / "note.txt")
    assert cacher.load() == "hello"
    assert cacher.extra_metadata == {"length": 5}
    assert cacher.metadata == {"extra": {"length": 5}}


def test_metadata_can_be_saved_by_itself(tmp_path):
    cacher = Text(tmp_path / "note.txt")
    cacher.extra_metadata["a"] = 1
    cacher.save_metadata()
    assert os.listdir(tmp_path) == ["note_metadata.json"]
    assert Text(tmp_path / "note.txt").load_metadata() == {"extra": {"a": 1}}


def test_missing_metadata_changes_nothing(tmp_path):
    cacher = Text(tmp_path / "note.txt")
    cacher.metadata = {"before": 1}
    assert cacher.load_metadata() == {"before": 1}


@pytest.mark.parametrize("content", ["{", "[]"])
def test_broken_metadata_is_named(tmp_path, content):
    (tmp_path / "note_metadata.json").write_text(content)
    with pytest.raises(CacheError, match=r"note_metadata\.json"):
        Text(tmp_path / "note.txt").load_metadata()


# ---------------------------------------------------------------------------------------------------- with a record


def test_with_a_record_the_file_lies_where_its_artifacts_do(tmp_path):
    record = RecordInAFolder(tmp_path, Params())
    cacher = Text(name="note", subdir="texts", prefix="all", record=record)
    cacher.save("hello")
    assert (tmp_path / "texts" / "all_0a1b_train_note.txt").read_text() == "hello"
    assert cacher.get_path("_x.json") == str(tmp_path / "texts" / "all_0a1b_train_note_x.json")


def test_with_a_record_an_override_is_a_template(tmp_path):
    record = RecordInAFolder(tmp_path, Params())
    cacher = Text("{cache}/{params.name}/{artifact_filename}", name="note", record=record)
    cacher.save("hello")
    assert (tmp_path / "simple" / "iris_0a1b_train_note.txt").read_text() == "hello"
    assert cacher.get_path("_x.json") == str(tmp_path / "simple" / "iris_0a1b_train_note_x.json")


def test_a_record_that_overwrites_has_nothing_cached(tmp_path):
    Text(tmp_path / "a").save("x")
    assert Text(tmp_path / "a", record=RecordInAFolder(tmp_path, Params())).check()
    assert not Text(tmp_path / "a", record=RecordInAFolder(tmp_path, Params(overwrite=True))).check()


def test_metadata_with_a_record_says_whose_it_is(tmp_path):
    cacher = Text(name="note", record=RecordInAFolder(tmp_path, Params()))
    assert cacher.collect_metadata() == {
        "artifact_name": "note",
        "cacher_type": "Text",
        "params_name": "simple",
        "params_hash": "0a1b",
        "extra": {},
    }


# ------------------------------------------------------------------------------------------------------- for the engine


def test_a_fresh_copy_keeps_arguments_and_drops_what_happened(tmp_path):
    cacher = Text(name="x", subdir="s")
    cacher.extra_metadata["constant"] = [1]
    cacher.place(Placement("l", str(tmp_path)))
    cacher.get_path()
    fresh = cacher.fresh()
    assert (fresh.name, fresh.subdir, fresh.placement, fresh.cache_paths) == ("x", "s", None, [])
    fresh.extra_metadata["constant"].append(2)
    assert cacher.extra_metadata == {"constant": [1]}


def test_placing_one_copy_says_nothing_to_another():
    cacher = Text()
    first, second = cacher.fresh(), cacher.fresh()
    first.place(Placement("a", "/c", output="a"))
    second.place(Placement("b", "/c", output="b"))
    assert (first.name, second.name, cacher.name) == ("a", "b", None)
    assert first.get_path() == "/c/a.txt"


def test_a_cacher_may_forget_to_call_its_base():
    class Forgets(Cacheable):
        def __init__(self, depth):
            self.depth = depth

    cacher = Forgets(3).fresh()
    cacher.place(Placement("x", "/c", output="x"))
    assert cacher.get_path() == "/c/x"
    assert cacher.key() != Forgets(4).key()


def test_where_the_file_lies_is_no_part_of_the_key():
    plain = Text().key()
    placed = [
        Text(name="n"),
        Text(None, "n"),
        Text(subdir="a/b/"),
        Text(prefix="p"),
        Text(track=False),
        Text(record=SimpleNamespace(params=None)),
    ]
    assert {cacher.key() for cacher in placed} == {plain}
    assert Text("a/x.txt").key() == Text(Path("b/y.txt")).key()


def test_the_extension_is_a_part_of_the_key():
    keys = {Text().key(), Text(extension=".gz").key(), Text("x.gz").key(), Text("x").key()}
    assert len(keys) == 4
    assert Text("x.txt").key() == Text().key()


def test_classes_and_their_own_arguments_make_the_key():
    class Positional(Cacheable):
        def __init__(self, *columns):
            super().__init__()
            self.columns = columns

    keys = {
        Text().key(),
        JsonCacher().key(),
        PickleCacher().key(),
        JsonCacher(lossy=True).key(),
        Positional("a").key(),
        Positional("b").key(),
        Positional("a", "b").key(),
    }
    assert len(keys) == 7
    assert JsonCacher(lossy=True).key() == JsonCacher(None, lossy=True, name="x").key()


def test_a_placed_cacher_has_the_key_of_the_one_in_the_decorator(tmp_path):
    cacher = Text("{cache}/{artifact_filename}")
    placed = cacher.fresh()
    placed.place(Placement(label(placed, cache_folder=str(tmp_path)), str(tmp_path), output="model"))
    assert placed.key() == cacher.key()


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))])
def test_copies_are_equal_in_all_that_matters(duplicate):
    cacher = JsonCacher("x.json", lossy=True)
    other = duplicate(cacher)
    assert (other.key(), other.lossy, other.path_override) == (cacher.key(), True, "x.json")


@pytest.mark.parametrize("missing", ["save", "load"])
def test_a_cacher_without_save_or_load_is_refused(missing):
    other = {"save": "load", "load": "save"}[missing]
    kind = type("Half", (Cacheable,), {other: lambda self, *args: None})
    with pytest.raises(DefinitionError, match=f"Half has no {missing}"):
        kind().check_definition()
    with pytest.raises(DefinitionError, match=f"no {missing}"):
        getattr(kind("x"), missing)(*["value"] * (missing == "save"))


def test_a_template_with_unknown_keys_is_refused_by_the_definition():
    Text("{cache}/{name}.txt").check_definition()
    with pytest.raises(DefinitionError, match=r"path_override '\{nam\}\.txt'"):
        Text("{nam}.txt").check_definition()


def test_a_refusal_names_cacher_output_and_hint():
    error = Text(name="model").refusal("it is a lambda.", hint="Use a function.")
    assert isinstance(error, CacheError)
    assert str(error) == "Text cannot save 'model': it is a lambda. Use a function."


def test_the_text_of_a_cacher_is_how_it_was_made():
    assert repr(JsonCacher("a.json", lossy=True)) == "JsonCacher('a.json', lossy=True)"
