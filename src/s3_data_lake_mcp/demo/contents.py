"""What lies in the demo lake: each object with its bytes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from s3_data_lake_mcp.demo import catalogue, crm, iot, sales


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoObject:
    """One object of the demo lake."""

    key: str
    body: bytes
    content_type: str
    bucket: str = catalogue.BUCKET
    storage_class: Literal["STANDARD", "GLACIER"] = "STANDARD"
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: str = ""


def objects() -> Iterator[DemoObject]:
    """Yield every object, each made when it is asked for, the same each time."""
    yield DemoObject(
        key=catalogue.CUSTOMERS,
        body=crm.customers(),
        content_type="text/csv",
        metadata={"owner": "crm-team", "source": "nightly export"},
        tags="classification=internal&domain=crm",
    )
    made = sales.sales()
    yield DemoObject(
        key=catalogue.SALES, body=sales.sales_array(made), content_type="application/json"
    )
    for day, body in sales.daily_totals(made):
        key = f"{catalogue.DAILY}dt={day}/part-0000.parquet"
        yield DemoObject(key=key, body=body, content_type="application/vnd.apache.parquet")
    yield DemoObject(
        key=catalogue.READINGS, body=iot.readings(), content_type="application/vnd.apache.parquet"
    )
    yield DemoObject(key=catalogue.EVENTS, body=sales.web_events(), content_type="application/gzip")
    yield DemoObject(key=catalogue.GERMAN, body=crm.german_customers(), content_type="text/csv")
    yield DemoObject(key=catalogue.BROKEN, body=crm.broken_orders(), content_type="text/csv")
    yield DemoObject(
        key=catalogue.ARCHIVED, body=crm.ledger(), content_type="text/csv", storage_class="GLACIER"
    )
    yield DemoObject(
        bucket=catalogue.FAR_BUCKET,
        key=catalogue.STORES,
        body=crm.stores(),
        content_type="text/csv",
    )
    for key in catalogue.ODD_KEYS:
        yield DemoObject(key=key, body=crm.note(key), content_type="text/csv")
