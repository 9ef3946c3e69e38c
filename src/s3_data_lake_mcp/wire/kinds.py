"""Families of Arrow types that are written alike."""

from typing import Any

import pyarrow as pa
from pyarrow import types


def is_text(kind: Any) -> bool:  # noqa: ANN401 - the stubs give each type a class of its own
    """Whether values of the type are texts, dictionary-encoded or not."""
    if types.is_dictionary(kind):
        kind = kind.value_type
    return types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)


def is_binary(kind: "pa.DataType") -> bool:
    """Whether values of the type are bytes."""
    return types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind)


def is_list(kind: "pa.DataType") -> bool:
    """Whether the type is one of the five kinds of list."""
    return (
        types.is_list(kind)
        or types.is_large_list(kind)
        or types.is_fixed_size_list(kind)
        or types.is_list_view(kind)
        or types.is_large_list_view(kind)
    )


def is_extension(kind: "pa.DataType") -> bool:
    """Whether the type gives another one a meaning of its own."""
    return isinstance(kind, pa.BaseExtensionType)
