"""What both DuckDB sides do: read by its table functions, profile by SUMMARIZE."""

from collections.abc import Mapping
from typing import Any

from protocol import NotSupportedError, Operation, Request
from queries import Query

READERS: Mapping[str, str] = {
    "csv": "read_csv('{}')",
    "jsonl": "read_json('{}')",
    "json": "read_json('{}')",
    "parquet": "read_parquet('{}')",
    "csvs": "read_csv('{}')",
    "hive": "read_parquet('{}', hive_partitioning=true)",
}


class DuckDbSide:
    """Operations over a connection of any DuckDB version.

    Args:
        connection: An open connection; each operation works on a cursor of its own.
        place: Pattern of the name of an object, of `bucket` and `key`.
    """

    def __init__(self, connection: Any, place: str) -> None:  # noqa: ANN401 - of either version
        self._connection = connection
        self._place = place

    def operations(self) -> Mapping[str, Operation]:
        """Return the operations by name."""
        return {
            "page": self.page,
            "query": self.query,
            "profile": self.profile,
            "footer": self.footer,
            "sample": self.sample,
            "find": self.find,
        }

    def _source(self, request: Request) -> str:
        return READERS[request["format"]].format(self._place.format(**request))

    def _table(self, sql: str) -> dict[str, Any]:
        cursor = self._connection.cursor()
        cursor.execute(sql)
        columns = [item[0] for item in cursor.description]
        return {"columns": columns, "rows": [list(row) for row in cursor.fetchall()]}

    def page(self, request: Request) -> dict[str, Any]:
        """Return rows by LIMIT and OFFSET."""
        sql = f"FROM {self._source(request)} LIMIT {request['rows']} OFFSET {request['offset']}"
        return self._table(sql)

    def query(self, request: Request) -> dict[str, Any]:
        """Answer a query in SQL."""
        return self._table(Query.from_json(request["query"]).sql(self._source(request)))

    def profile(self, request: Request) -> dict[str, Any]:
        """Summarize every column."""
        return self._summary(f"SUMMARIZE FROM {self._source(request)}")

    def sample(self, request: Request) -> dict[str, Any]:
        """Summarize a sample of 10,000 rows."""
        return self._summary(
            f"SUMMARIZE FROM (FROM {self._source(request)} USING SAMPLE 10000 ROWS)"
        )

    def _summary(self, sql: str) -> dict[str, Any]:
        table = self._table(sql)
        names = table["columns"]
        columns = {}
        rows = 0
        for row in table["rows"]:
            fields = dict(zip(names, row, strict=True))
            rows = fields["count"]
            columns[fields["column_name"]] = {
                "nulls": round(float(fields["null_percentage"]) / 100 * rows),
                "nulls_rounded": True,
                "min": fields["min"],
                "max": fields["max"],
                "mean": fields["avg"],
                "distinct": fields["approx_unique"],
            }
        return {"rows": rows, "columns": columns}

    def footer(self, request: Request) -> dict[str, Any]:
        """Return what the Parquet footer says of every column."""
        if request["format"] != "parquet":
            raise NotSupportedError(request["format"])
        place = self._place.format(**request)
        table = self._table(
            "SELECT path_in_schema, sum(num_values), sum(stats_null_count), "  # noqa: S608 - own words
            "min_by(stats_min_value, TRY_CAST(stats_min_value AS DOUBLE)), "
            "max_by(stats_max_value, TRY_CAST(stats_max_value AS DOUBLE)), "
            "min(stats_min_value), max(stats_max_value) "
            f"FROM parquet_metadata('{place}') GROUP BY ALL"
        )
        columns = {
            name.split(",")[0]: {
                "nulls": int(nulls),
                "min": low if low is not None else least,
                "max": high if high is not None else most,
            }
            for name, _, nulls, low, high, least, most in table["rows"]
        }
        return {"rows": int(table["rows"][0][1]), "columns": columns}

    def find(self, request: Request) -> dict[str, Any]:
        """Find keys by a glob."""
        name = f"{request['prefix']}**/{request['name']}"
        place = self._place.format(bucket=request["bucket"], key=name)
        table = self._table(f"FROM glob('{place}')")
        scheme = f"s3://{request['bucket']}/"
        return {"found": [row[0].removeprefix(scheme) for row in table["rows"]]}
