from __future__ import annotations

import json
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curifactory.core.trace import Artifact, Output, Result, StoredFile, Trace
from curifactory.errors import CacheError
from curifactory.store import manifest
from curifactory.store.digests import Facts
from curifactory.store.trace_rows import iter_files, make_row, read_row

HEX = "0123456789abcdef" * 4


def make_trace(**changes) -> Trace:
    label = f"iris_{HEX[:32]}_train_model_model"
    file = StoredFile(f"{label}.pkl", f"blake3:{HEX}", 12_345)
    artifact = Artifact(
        "model", "PickleCacher", HEX[::-1], f"blake3:{HEX}", (file,), label, "sklearn.svm._classes.SVC", ""
    )
    trace = Trace(
        key=HEX,
        stage="experiments.iris.train_model",
        code=HEX,
        reads={"params.depth": HEX, "params.rate": HEX, "params.seed": HEX},
        shown={"params.depth": "3", "params.rate": "0.01", "params.seed": "42"},
        inputs={"data": f"blake3:{HEX}+{HEX[:16]}"},
        overrides={},
        outputs=(Output("model", "sklearn.svm._classes.SVC", "", artifact),),
        run="iris_4_2026-11-21-T101500",
        made_at="2026-11-21T10:15:00.123+01:00",
        duration_s=0.012345,
    )
    return trace._replace(**changes)


def test_the_manifest_of_a_usual_small_call_takes_at_most_600_bytes():
    data = manifest.encode(make_trace())
    assert len(data) <= 600
    assert b"\n" not in data


def test_a_manifest_is_json_that_ends_with_its_own_digest():
    data = manifest.encode(make_trace())
    body = json.loads(data)
    assert next(iter(body)) == "format"
    assert list(body)[-1] == "digest"


def test_what_decides_comes_back_whole_and_what_was_read_is_cut():
    trace = make_trace()
    found = manifest.decode(HEX, manifest.encode(trace))
    assert found is not None
    assert (found.key, found.code, found.outputs) == (trace.key, trace.code, trace.outputs)
    assert found.shown == trace.shown
    assert found.reads == dict.fromkeys(trace.reads, HEX[:16])
    assert found.inputs == {"data": f"blake3:{HEX[:16]}"}


def test_a_cut_identity_is_what_the_whole_one_begins_with():
    for whole in (HEX, f"blake3:{HEX}", f"call:{HEX}:model", f"blake3:{HEX}+{HEX[:16]}", "absent", ""):
        assert whole.startswith(manifest.shorten(whole))
    assert manifest.shorten(f"call:{HEX}:model") == f"call:{HEX[:16]}"


def test_every_shortened_or_changed_manifest_is_noticed():
    data = manifest.encode(make_trace())
    for end in range(len(data)):
        assert manifest.decode(HEX, data[:end]) is None
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1 << (place % 8)
        assert manifest.decode(HEX, bytes(changed)) is None


def test_a_manifest_under_another_key_is_noticed():
    data = manifest.encode(make_trace())
    assert manifest.decode("f" * 64, data) is None


def test_a_newer_format_is_told_from_a_damaged_one():
    assert manifest.is_newer(b'{"format":7,"anything":true}')
    assert not manifest.is_newer(manifest.encode(make_trace()))
    assert not manifest.is_newer(b'{"format":x')


def test_metadata_that_are_no_json_are_refused_with_the_stage():
    artifact = make_trace().outputs[0].artifact
    bad = artifact._replace(metadata={"net": object()})
    with pytest.raises(CacheError, match=r"experiments\.iris\.train_model"):
        manifest.encode(make_trace(outputs=(Output("model", artifact=bad),)))


def test_metadata_keep_numbers_that_json_does_not_know():
    artifact = make_trace().outputs[0].artifact._replace(metadata={"best": float("inf")})
    trace = make_trace(outputs=(Output("model", artifact.type, "", artifact),))
    found = manifest.decode(HEX, manifest.encode(trace))
    assert found.outputs[0].artifact.metadata == {"best": float("inf")}


def test_a_file_name_that_is_no_text_comes_back():
    artifact = make_trace().outputs[0].artifact
    file = StoredFile("odd\udcff.pkl", artifact.digest, 1)
    trace = make_trace(outputs=(Output("model", artifact=artifact._replace(files=(file,))),))
    found = manifest.decode(HEX, manifest.encode(trace))
    assert found.outputs[0].artifact.files == (file,)


texts = st.one_of(st.text(max_size=12), st.sampled_from(["~", "=", "!x", "*", "a*", "a b", "blake3:x", ""]))
digests = st.one_of(
    texts, st.sampled_from([HEX, HEX.upper(), f"blake3:{HEX}", f"pickle:{HEX}", "~" + "A" * 43])
)
names = st.one_of(texts, st.sampled_from(["train_model", "iris_train_model_model"]))


@st.composite
def artifacts(draw) -> Artifact:
    label = draw(st.one_of(names, st.just("x_train_model_model")))
    files = [
        StoredFile(
            draw(st.one_of(names, st.just(label + ".pkl"), st.just(label))),
            draw(digests),
            draw(st.integers(0, 2**60)),
            draw(st.booleans()),
        )
        for _ in range(draw(st.integers(0, 3)))
    ]
    metadata = draw(
        st.dictionaries(texts, st.one_of(texts, st.integers(), st.none(), st.lists(st.booleans())))
    )
    return Artifact(
        draw(names),
        draw(texts),
        draw(digests),
        draw(digests),
        tuple(files),
        label,
        draw(texts),
        draw(texts),
        metadata,
    )


outputs = st.builds(Output, name=names, type=texts, summary=texts, artifact=st.none() | artifacts())
traces = st.builds(
    Trace,
    key=st.just(HEX),
    stage=st.sampled_from(["experiments.iris.train_model", "load", "notebook:a/b.load", ""]),
    code=digests,
    reads=st.dictionaries(texts, digests, max_size=3),
    shown=st.dictionaries(texts, texts, max_size=3),
    inputs=st.dictionaries(texts, digests, max_size=3),
    overrides=st.dictionaries(texts, digests, max_size=3),
    outputs=st.lists(outputs, max_size=3).map(tuple),
    run=texts,
    made_at=texts,
    duration_s=st.integers(0, 10**9).map(lambda number: number / 10**6),
    reported=st.booleans(),
)


@settings(deadline=None, max_examples=200)
@given(trace=traces)
def test_any_trace_comes_back_as_it_was_apart_from_what_is_cut(trace):
    found = manifest.decode(HEX, manifest.encode(trace))
    cut = {
        name: {path: manifest.shorten(digest) for path, digest in getattr(trace, name).items()}
        for name in ("reads", "inputs", "overrides")
    }
    assert found == trace._replace(**cut)
    assert manifest.encode(found) == manifest.encode(trace)


@settings(deadline=None)
@given(data=st.binary(max_size=400))
def test_noise_is_no_manifest(data):
    assert manifest.decode(HEX, data) is None


def read_both_ways(row) -> list:
    """Read a row as a process does that has read many, and as one does for which the import is not worth it."""
    import msgspec

    quickly = read_row(HEX, row)
    with pytest.MonkeyPatch.context() as patch:
        patch.delitem(sys.modules, msgspec.__name__)
        return [quickly, read_row(HEX, row)]


def types_of(found) -> list[type]:
    """Give the types of a result's parts, which a list that equals a tuple would hide from nobody but us."""
    artifacts = [output.artifact for output in found.outputs if output.artifact is not None]
    files = [file for artifact in artifacts for file in artifact.files]
    return [type(each) for each in (found, *found, *found.outputs, *artifacts, *files, *found.seen.values())]


def result_of(trace, facts):
    return Result.of(trace, (1, 2, 3), {path: known[1:4] for path, known in facts.items()})


@settings(deadline=None)
@given(trace=traces, data=st.data())
def test_a_row_of_the_index_says_what_the_manifest_says_and_what_is_known_of_its_files(trace, data):
    kept = manifest.decode(HEX, manifest.encode(trace))
    facts = {
        file.path: Facts(file.digest, file.size_bytes, data.draw(st.integers(0, 2**62)), 7)
        for file in iter_files(trace)
        if data.draw(st.booleans())
    }
    both = read_both_ways(make_row(kept, (1, 2, 3), facts))
    for found in both:
        assert found == result_of(kept, facts)
        assert types_of(found) == types_of(result_of(kept, facts))


@pytest.mark.parametrize("odd", ["odd\udcff.pkl", "Größe.pkl", 'a"\\\n.pkl'])
@pytest.mark.parametrize("metadata", [{}, {"best": float("inf"), "text": "\ud800", "many": 2**70}])
def test_a_row_keeps_what_json_hardly_takes(odd, metadata):
    artifact = make_trace().outputs[0].artifact
    file = StoredFile(odd, artifact.digest, 1)
    artifact = artifact._replace(files=(file,), metadata=metadata)
    trace = make_trace(outputs=(Output("model", artifact=artifact),))
    facts = {odd: Facts(file.digest, 1, 2, 3)}
    for found in read_both_ways(make_row(trace, (1, 2, 3), facts)):
        assert found == result_of(trace, facts)


def test_a_row_keeps_facts_of_no_other_bytes_and_of_no_folder():
    artifact = make_trace().outputs[0].artifact
    (file,) = artifact.files
    for facts in (Facts("blake3:other", 1, 2, 3), Facts(file.digest, 1, 2, 3, "print of a folder")):
        row = make_row(make_trace(), (1, 2, 3), {file.path: facts})
        assert read_row(HEX, row) == Result.of(make_trace(), (1, 2, 3))


@settings(deadline=None)
@given(trace=traces.filter(lambda trace: not manifest.has_metadata(trace)))
def test_a_trace_without_metadata_is_known_as_kept_without_being_read_back(trace):
    assert manifest.as_kept(trace) == manifest.decode(HEX, manifest.encode(trace))
