"""Text of either format as rows, for whoever reads objects of both alike."""

from s3_data_lake_mcp.loaders import LoadRequest, LoadResult
from s3_data_lake_mcp.loaders.csv import CsvLoader, CsvRequest
from s3_data_lake_mcp.loaders.json import JsonLoader
from s3_data_lake_mcp.storage.reader import ObjectReader


def load_text(
    source: ObjectReader, name: str, rows: int, max_decoded_bytes: int, *, torn: bool = False
) -> LoadResult:
    """Load the first rows of delimited text or JSON; see `Loader.load`.

    `source` is opened by its head, `name` is its format, `csv` or `json`; `torn` is as in
    `CsvRequest`.
    """
    if name == "csv":
        request = CsvRequest(max_rows=rows, max_decoded_bytes=max_decoded_bytes, torn=torn)
        return CsvLoader().load(source, request)
    asked = LoadRequest(max_rows=rows, max_decoded_bytes=max_decoded_bytes)
    return JsonLoader().load(source, asked)
