"""The questions of the tour: realistic ones, each with the call that answers it."""

from collections.abc import Mapping
from dataclasses import dataclass

from s3_data_lake_mcp.demo import catalogue

_URI = f"s3://{catalogue.BUCKET}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question, the call an agent would make of it, and how to tell that it was answered.

    `expect` stands in a right answer. With `refusal`, the right answer is an error of that code,
    and with `mended` the call that the error proposes must then work.
    """

    text: str
    tool: str
    arguments: Mapping[str, object]
    expect: str
    refusal: str = ""
    mended: bool = False


_REVENUE_SQL = " ".join(
    (
        "SELECT c.segment, count(*) AS sales, count(DISTINCT customer_id) AS customers,",
        "round(sum(total), 2) AS revenue",
        f"FROM data JOIN '{_URI}/{catalogue.CUSTOMERS}' c USING (customer_id)",
        "WHERE sold_at >= '2025-10-01' GROUP BY ALL ORDER BY revenue DESC",
    )
)

QUESTIONS = (
    Question(
        text="Which buckets are there, where are they, and which can I read?",
        tool="list_s3_buckets",
        arguments={},
        expect="eu-central-1",
    ),
    Question(
        text="Which CSV files of more than 10 KB are in the lake?",
        tool="list_s3_objects",
        arguments={
            "bucket_name": catalogue.BUCKET,
            "pattern": "**/*.csv",
            "min_size_bytes": 10_000,
        },
        expect=catalogue.CUSTOMERS,
    ),
    Question(
        text="What data sets lie below sales/, and are they complete?",
        tool="get_dataset_summary",
        arguments={"bucket_name": catalogue.BUCKET, "prefix": "sales/"},
        expect="2025-12-31",
    ),
    Question(
        text="What is in this customer file, and how should I read it?",
        tool="get_file_metadata",
        arguments={"bucket_name": f"{_URI}/{catalogue.CUSTOMERS}"},
        expect="postal_code",
    ),
    Question(
        text="Show me some rows of the German export, whatever its dialect and encoding.",
        tool="read_csv_from_s3",
        arguments={"bucket_name": f"{_URI}/{catalogue.GERMAN}", "max_rows": 4},
        expect="Straße",
    ),
    Question(
        text="What does a sale look like? The file is one JSON array of 23 MB.",
        tool="read_json_from_s3",
        arguments={"bucket_name": f"{_URI}/{catalogue.SALES}", "max_records": 2},
        expect="SO-2025-000001",
    ),
    Question(
        text="What did Dresden sell on Christmas Eve? (one of 365 daily files)",
        tool="read_parquet_from_s3",
        arguments={
            "bucket_name": catalogue.BUCKET,
            "object_key": catalogue.DAILY,
            "where": "dt = '2025-12-24' AND store = 'DRS-01'",
        },
        expect="DRS-01",
    ),
    Question(
        text="Revenue of the last quarter by customer segment: JSON sales joined to CSV customers.",
        tool="query_csv_data",
        arguments={"bucket_name": f"{_URI}/{catalogue.SALES}", "sql": _REVENUE_SQL},
        expect="enterprise",
    ),
    Question(
        text="Do the sensors report sane values? (a profile of 100,000 readings)",
        tool="get_dataset_summary",
        arguments={
            "bucket_name": f"{_URI}/{catalogue.READINGS}",
            "columns": ["temperature_c", "humidity_pct", "status"],
        },
        expect="temperature_c",
    ),
)

MISHAPS = (
    Question(
        text="A misspelt column: the error names the nearest one and the call that works.",
        tool="read_csv_from_s3",
        arguments={
            "bucket_name": f"{_URI}/{catalogue.CUSTOMERS}",
            "columns": ["customer_id", "anual_revenue"],
            "max_rows": 3,
        },
        expect="annual_revenue",
        refusal="unknown_column",
        mended=True,
    ),
    Question(
        text="An object in the archive: it says so, and how to get it back.",
        tool="read_csv_from_s3",
        arguments={"bucket_name": f"{_URI}/{catalogue.ARCHIVED}"},
        expect="GLACIER",
        refusal="object_archived",
    ),
    Question(
        text="A statement that writes: refused, whatever it hides behind.",
        tool="query_csv_data",
        arguments={
            "bucket_name": f"{_URI}/{catalogue.CUSTOMERS}",
            "sql": "WITH gone AS (DELETE FROM data RETURNING *) SELECT * FROM gone",
        },
        expect="read",
        refusal="not_read_only",
    ),
)
