"""Encoders for numpy arrays, scalars and dtypes and for torch tensors; neither package is imported here."""

from __future__ import annotations

import sys
from typing import Any

from curifactory.identity.callables import class_tag
from curifactory.identity.encoding import (
    Encoder,
    Refusal,
    Walk,
    encode,
    encode_buffer,
    encode_items,
    record,
    text,
)
from curifactory.identity.objects import encode_state


def numpy_encoder(cls: type) -> Encoder | None:
    """Return the encoder for a class of numpy or one derived from it; None for what its state describes."""
    numpy: Any = sys.modules["numpy"]
    if issubclass(cls, numpy.ma.MaskedArray):
        return _masked if cls is numpy.ma.MaskedArray else encode_state
    if issubclass(cls, (numpy.matrix, numpy.recarray)):
        return _array_subclass
    if cls is numpy.ndarray or cls is numpy.memmap:
        return _array
    if issubclass(cls, numpy.ndarray):
        return encode_state
    if issubclass(cls, numpy.generic):
        return _scalar
    if issubclass(cls, numpy.dtype):
        return _dtype
    return None


def torch_encoder(cls: type) -> Encoder | None:
    """Return the encoder for tensors, dtypes, devices and generators of torch; None for what its state describes."""
    torch: Any = sys.modules["torch"]
    if issubclass(cls, torch.Tensor):
        return _tensor
    if cls in {torch.dtype, torch.layout, torch.memory_format, torch.device}:
        return _torch_word
    if issubclass(cls, torch.Generator):
        return _torch_generator
    return None


def encode_array(value: Any, walk: Walk) -> bytes:
    """Encode a numpy array by its dtype, its shape and its elements in C order."""
    parts = [encode_dtype(value.dtype, walk), encode(value.shape, walk)]
    parts.append(_elements(value, walk))
    return record(b"ndarray", *parts)


def encode_dtype(dtype: Any, walk: Walk) -> bytes:
    """Encode a dtype: its code, or its fields with their places."""
    if dtype.names is not None:
        fields = [
            record(
                b"field",
                text(name),
                encode_dtype(dtype.fields[name][0], walk),
                b"i%x;" % dtype.fields[name][1],
            )
            for name in dtype.names
        ]
        return record(b"struct", b"i%x;" % dtype.itemsize, *fields)
    if dtype.subdtype is not None:
        return record(b"subarray", encode_dtype(dtype.subdtype[0], walk), encode(dtype.shape, walk))
    if dtype.kind == "V" and type(dtype).__module__.partition(".")[0] != "numpy":
        return record(b"dtype", text(f"{type(dtype).__module__}.{dtype.name}"))
    # Types of other packages, such as bfloat16, call themselves void; their scalar type tells them apart.
    extra = (
        ""
        if dtype.kind != "V" or dtype.type.__module__ == "numpy"
        else f" {dtype.type.__module__}.{dtype.name}"
    )
    return record(b"dtype", text(dtype.str + extra))


def _array(value: Any, walk: Walk) -> bytes:
    known = walk.remembered.get(id(value))
    if known is not None:
        return known[1]
    walk.enter(value)
    return walk.leave(value, encode_array(value, walk))


def _array_subclass(value: Any, walk: Walk) -> bytes:
    numpy: Any = sys.modules["numpy"]
    return record(b"array-kind", class_tag(type(value), walk), encode_array(value.view(numpy.ndarray), walk))


def _elements(value: Any, walk: Walk) -> bytes:
    dtype = value.dtype
    if dtype.names is not None:
        # Field by field: the gaps between them hold whatever was in memory before.
        return record(b"columns", *[_elements(value[name], walk) for name in dtype.names])
    if dtype.kind in "OT" or dtype.hasobject:
        return encode_objects(value.ravel(order="C").tolist(), walk)
    if dtype.kind in "fc" and value.size:
        value = _with_one_nan(value)
    if dtype.char in "gG":
        return _long_doubles(value, walk)
    return encode_buffer(_contiguous_bytes(value), walk)


def encode_objects(items: list[Any], walk: Walk) -> bytes:
    """Encode many objects; lists of nothing but strings in one go."""
    try:
        encoded = list(map(str.encode, items))
    except (TypeError, UnicodeEncodeError):
        return record(b"objects", *encode_items(items, walk))
    if any(type(item) is not str for item in items):
        return record(b"objects", *encode_items(items, walk))
    from array import array

    lengths = array("q", map(len, encoded))
    if sys.byteorder == "big":
        lengths.byteswap()
    return record(b"strings", encode_buffer(lengths.tobytes(), walk), encode_buffer(b"".join(encoded), walk))


def _contiguous_bytes(value: Any) -> Any:
    numpy: Any = sys.modules["numpy"]
    flat = numpy.ascontiguousarray(value).reshape(-1)
    return flat.view(numpy.uint8) if flat.size and flat.dtype.itemsize else b""


def _with_one_nan(value: Any) -> Any:
    """Not-a-number has many bit patterns; all of them become the usual one."""
    numpy: Any = sys.modules["numpy"]
    if value.dtype.kind == "c":
        strange = numpy.isnan(value.real) | numpy.isnan(value.imag)
    else:
        strange = numpy.isnan(value)
    if not strange.any():
        return value
    value = numpy.array(value, order="C")
    if value.dtype.kind == "c":
        for part in (value.real, value.imag):
            part[numpy.isnan(part)] = numpy.nan
    else:
        value[strange] = numpy.nan
    return value


def _long_doubles(value: Any, walk: Walk) -> bytes:
    """Long doubles have unused bytes in memory on some machines; only those that count are taken."""
    numpy: Any = sys.modules["numpy"]
    real = numpy.ascontiguousarray(value).reshape(-1)
    if value.dtype.kind == "c":
        real = real.view(real.real.dtype)
    rows = real.view(numpy.uint8).reshape(-1, real.dtype.itemsize)
    if numpy.finfo(real.dtype).nmant == 63:
        rows = rows[:, :10]
    return encode_buffer(numpy.ascontiguousarray(rows), walk)


def _masked(value: Any, walk: Walk) -> bytes:
    numpy: Any = sys.modules["numpy"]
    mask = numpy.ma.getmaskarray(value)
    visible = numpy.array(value.data, copy=True)
    if visible.dtype.names is None:
        visible[mask] = numpy.zeros((), dtype=visible.dtype)
    fill = encode_array(numpy.asarray(value.fill_value), walk)
    return record(b"masked", encode_array(visible, walk), encode_array(mask, walk), fill)


def _scalar(value: Any, walk: Walk) -> bytes:
    numpy: Any = sys.modules["numpy"]
    if value.dtype.kind == "O":
        raise Refusal("it is a numpy scalar without a value")
    tag = b"scalar" if type(value).__module__ == "numpy" else b"scalar-kind"
    parts = [] if tag == b"scalar" else [class_tag(type(value), walk)]
    return record(tag, *parts, encode_array(numpy.asarray(value), walk))


def _dtype(value: Any, walk: Walk) -> bytes:
    return encode_dtype(value, walk)


def _tensor(value: Any, walk: Walk) -> bytes:
    torch: Any = sys.modules["torch"]
    known = walk.remembered.get(id(value))
    if known is not None:
        return known[1]
    if value.is_meta:
        raise Refusal("it is a tensor on the meta device, which has no elements")
    if value.is_quantized or value.is_nested:
        raise Refusal("it is a quantized or nested tensor")
    walk.enter(value)
    plain = value.detach()
    if plain.layout == torch.strided:
        elements = _strided(plain, walk)
    else:
        plain = plain.to_sparse_coo().coalesce()
        elements = record(b"sparse", _strided(plain.indices(), walk), _strided(plain.values(), walk))
    words = f"{value.dtype} {value.device.type} {value.layout} {bool(value.requires_grad)}"
    tag = class_tag(type(value), walk)
    return walk.leave(value, record(b"tensor", tag, text(words), encode(tuple(value.shape), walk), elements))


def _strided(tensor: Any, walk: Walk) -> bytes:
    torch: Any = sys.modules["torch"]
    numpy: Any = sys.modules.get("numpy")
    flat = tensor.cpu().resolve_conj().resolve_neg().contiguous().reshape(-1)
    if flat.dtype in {torch.float16, torch.float32, torch.float64, torch.complex64, torch.complex128}:
        return _elements(flat.numpy(), walk)
    if flat.is_floating_point():
        nan = torch.isnan(flat)
        if bool(nan.any()):
            flat = flat.masked_fill(nan, float("nan"))
    data = flat.view(torch.uint8) if flat.dtype != torch.uint8 else flat
    return encode_buffer(data.numpy() if numpy is not None else bytes(data.tolist()), walk)


def _torch_word(value: Any, walk: Walk) -> bytes:
    return record(b"torch-word", text(str(value)))


def _torch_generator(value: Any, walk: Walk) -> bytes:
    return record(b"torch-generator", text(value.device.type), _strided(value.get_state(), walk))
