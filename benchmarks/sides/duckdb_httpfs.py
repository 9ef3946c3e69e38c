# /// script
# requires-python = ">=3.12,<3.13"
# dependencies = ["duckdb==1.5.5", "duckdb-extension-httpfs==1.5.5"]
# ///
"""DuckDB with its httpfs extension, as in MotherDuck's server: one connection that stays open."""

import importlib.util
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
from duckdb_sql import DuckDbSide
from protocol import endpoint, serve


def _connect() -> duckdb.DuckDBPyConnection:
    spec = importlib.util.find_spec("duckdb_extension_httpfs")
    assert spec is not None  # noqa: S101 - a dependency of this script
    assert spec.origin is not None  # noqa: S101 - as above
    version = f"v{duckdb.__version__}"
    extension = Path(spec.origin).parent / "extensions" / version / "httpfs.duckdb_extension"
    connection = duckdb.connect()
    connection.execute(f"LOAD '{extension}'")
    connection.execute(
        "CREATE SECRET (TYPE s3, KEY_ID 'bench', SECRET 'bench', REGION 'us-east-1', "
        f"ENDPOINT '{urlsplit(endpoint()).netloc}', URL_STYLE 'path', USE_SSL false)"
    )
    return connection


if __name__ == "__main__":
    side = DuckDbSide(_connect(), "s3://{bucket}/{key}")
    serve(side.operations(), {"duckdb with httpfs": duckdb.__version__})
