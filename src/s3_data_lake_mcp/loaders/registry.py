"""The loaders, and which of them reads an object. A new format adds one name to `LOADERS`."""

from s3_data_lake_mcp.errors import UnsupportedFormatError
from s3_data_lake_mcp.loaders.csv import CsvLoader
from s3_data_lake_mcp.loaders.formats import strip_compression
from s3_data_lake_mcp.loaders.json import JsonLoader
from s3_data_lake_mcp.loaders.parquet import ParquetLoader

type BuiltInLoader = CsvLoader | JsonLoader | ParquetLoader

LOADERS: tuple[BuiltInLoader, ...] = (CsvLoader(), JsonLoader(), ParquetLoader())
"""In the order in which their suffixes are tried."""


def loader_named(name: str) -> BuiltInLoader:
    """Return the loader of a format.

    Raises:
        UnsupportedFormatError: If there is none.
    """
    for loader in LOADERS:
        if loader.name == name:
            return loader
    message = f"{name} is not a format that can be loaded"
    names = ", ".join(loader.name for loader in LOADERS)
    raise UnsupportedFormatError(message, hint=f"Formats are: {names}.")


def loader_for_key(key: str) -> BuiltInLoader | None:
    """Return the loader whose suffixes fit a key, compression taken off; None if none does."""
    bare = strip_compression(key.lower())
    return next((loader for loader in LOADERS if bare.endswith(loader.suffixes)), None)
