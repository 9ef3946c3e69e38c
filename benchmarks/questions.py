"""Twenty questions that agents ask of a lake, each with the call that answers it.

They are set: what their answers cost in tokens is comparable from version to version.
"""

from collections.abc import Mapping
from typing import Any, Final

_CSV: Final = {"bucket_name": "lake", "object_key": "demo/customers.csv"}
_JSON: Final = {"bucket_name": "lake", "object_key": "demo/orders.json"}
_PARQUET: Final = {"bucket_name": "lake", "object_key": "demo/readings.parquet"}

type Call = tuple[str, Mapping[str, Any]]

QUESTIONS: Final[Mapping[str, Call]] = {
    "Which buckets are there, and which can I read?": ("list_s3_buckets", {}),
    "What is in the demo folder?": (
        "list_s3_objects",
        {"bucket_name": "lake", "prefix": "demo/"},
    ),
    "Which days does the partitioned data set have?": (
        "list_s3_objects",
        {"bucket_name": "lake", "prefix": "hive365/", "delimiter": "/", "max_keys": 50},
    ),
    "Which Parquet files are there in November?": (
        "list_s3_objects",
        {"bucket_name": "lake", "prefix": "hive200/", "pattern": "**/dt=2025-11-0*/**"},
    ),
    "What is this customer file?": ("get_file_metadata", _CSV),
    "What is this Parquet file?": ("get_file_metadata", _PARQUET),
    "What data sets are below demo/?": (
        "get_dataset_summary",
        {"bucket_name": "lake", "prefix": "demo/"},
    ),
    "What do the customers look like?": ("read_csv_from_s3", {**_CSV, "max_rows": 10}),
    "Show me a hundred customers.": ("read_csv_from_s3", _CSV),
    "Names and revenue of fifty customers?": (
        "read_csv_from_s3",
        {**_CSV, "columns": ["name", "annual_revenue"], "max_rows": 50},
    ),
    "What does an order look like?": ("read_json_from_s3", {**_JSON, "max_records": 3}),
    "Show me thirty orders.": ("read_json_from_s3", {**_JSON, "max_records": 30}),
    "What do the readings look like?": ("read_parquet_from_s3", {**_PARQUET, "max_rows": 10}),
    "Which readings are too hot?": (
        "read_parquet_from_s3",
        {
            **_PARQUET,
            "columns": ["reading_id", "site", "device", "temperature"],
            "where": "temperature > 39.9",
            "max_rows": 50,
        },
    ),
    "How many customers are there by industry?": (
        "query_csv_data",
        {
            **_CSV,
            "sql": "SELECT industry, count(*) AS customers FROM data GROUP BY 1 ORDER BY 2 DESC",
        },
    ),
    "Which ten customers have the highest revenue?": (
        "query_csv_data",
        {
            **_CSV,
            "sql": "SELECT name, company, annual_revenue FROM data ORDER BY 3 DESC LIMIT 10",
        },
    ),
    "Which customers are in Porto?": (
        "query_csv_data",
        {
            **_CSV,
            "filter_column": "city",
            "filter_value": "porto",
            "columns": ["name", "email"],
            "max_rows": 20,
        },
    ),
    "What did each plan order?": (
        "query_csv_data",
        {**_JSON, "sql": 'SELECT "user".plan, sum(amount) AS amount FROM data GROUP BY 1'},
    ),
    "How are the readings distributed?": (
        "get_dataset_summary",
        {"bucket_name": "lake", "prefix": "demo/readings.parquet", "basis": "footer"},
    ),
    "What is the postal cod of the customers?": (
        "read_csv_from_s3",
        {**_CSV, "columns": ["postal_cod"]},
    ),
}
"""The last is misspelt: what an agent has to read to get it right counts too."""
