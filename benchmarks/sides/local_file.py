"""The floor of what the processor bounds: the project's DuckDB over the same file on local disk."""

import os

import duckdb
from duckdb_sql import DuckDbSide
from protocol import serve

if __name__ == "__main__":
    root = os.environ["BENCH_ROOT"]
    # An alias of the stand-in is the object behind it: there is no `run-7/` on disk.
    side = DuckDbSide(duckdb.connect(), f"{root}/{{bucket}}/{{plain_key}}")
    serve(side.operations(), {"duckdb": duckdb.__version__})
