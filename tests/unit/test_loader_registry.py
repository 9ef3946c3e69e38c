"""Loaders are found by name and by key."""

import pytest

from s3_data_lake_mcp.errors import UnsupportedFormatError
from s3_data_lake_mcp.loaders.registry import LOADERS, loader_for_key, loader_named


def test_every_loader_is_found_by_its_name_and_suffixes() -> None:
    """Names and suffixes lead to one loader each."""
    for loader in LOADERS:
        assert loader_named(loader.name) is loader
        for suffix in loader.suffixes:
            assert loader_for_key(f"dir/X{suffix.upper()}.gz") is loader


def test_unknown_format_is_named() -> None:
    """What no loader reads is an error, or None for a key."""
    with pytest.raises(UnsupportedFormatError, match="avro"):
        loader_named("avro")
    assert loader_for_key("x.bin") is None
