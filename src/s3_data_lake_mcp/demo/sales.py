"""Sales and web events of the demo lake, and the daily totals made of the sales."""

import gzip
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from s3_data_lake_mcp.demo import vocabulary as words
from s3_data_lake_mcp.demo.crm import CUSTOMERS, customer_id
from s3_data_lake_mcp.demo.draws import Draws, Weighted
from s3_data_lake_mcp.demo.typed import typed_table

SALES = 75_000
EVENTS = 20_000
DAYS = 365

_NEW_YEAR = datetime(2025, 1, 1, tzinfo=UTC)
_SUNDAY = 6
_BUSY_MONTHS = (1.0, 0.9, 1.0, 1.0, 1.05, 1.0, 0.9, 0.85, 1.1, 1.15, 1.6, 1.9)
_CHANNELS = Weighted([("web", 55), ("store", 30), ("partner", 12), ("phone", 3)])
_DISCOUNTS = Weighted([(None, 70), (5, 15), (10, 11), (20, 4)])
_QUANTITIES = Weighted([(1, 70), (2, 18), (3, 6), (5, 4), (10, 2)])
_CURRENCIES = {"US": "USD", "DE": "EUR", "FR": "EUR", "IT": "EUR", "ES": "EUR"}
_COUNTRIES = {line.split("|")[0]: line.split("|")[2] for line in words.STORES}
_TAGS = ("gift", "express", "b2b", "returning", "coupon")

_DAILY_FIELDS: "list[pa.Field[Any]]" = [
    pa.field("store", pa.string()),
    pa.field("category", pa.string()),
    pa.field("orders", pa.int32()),
    pa.field("units", pa.int64()),
    pa.field("revenue", pa.decimal128(12, 2)),
]
_DAILY_SCHEMA = pa.schema(_DAILY_FIELDS)


@dataclass(frozen=True, slots=True)
class Sale:
    """One sale, amounts in cents."""

    number: int
    sold_at: datetime
    customer: str
    store: str
    channel: str
    product: words.Product
    quantity: int
    discount: int | None
    tags: list[str]

    @property
    def total_cents(self) -> int:
        """What was paid."""
        gross = self.product.price_cents * self.quantity
        return gross - gross * (self.discount or 0) // 100


def sales() -> list[Sale]:
    """Return the 75,000 sales of a year, in the order of time."""
    draws = Draws("sales")
    days = Weighted([(day, _day_weight(day)) for day in range(DAYS)])
    seconds = sorted(days.draw(draws) * 86_400 + draws.integer(0, 86_400) for _ in range(SALES))
    return [
        Sale(
            number,
            _NEW_YEAR + timedelta(seconds=second),
            customer_id(draws.skewed(CUSTOMERS) + 1),
            draws.pick(words.STORE_IDS),
            _CHANNELS.draw(draws),
            words.PRODUCTS[draws.skewed(len(words.PRODUCTS), 1.6)],
            _QUANTITIES.draw(draws),
            _DISCOUNTS.draw(draws),
            [draws.pick(_TAGS)] if draws.happens(0.3) else [],
        )
        for number, second in enumerate(seconds, 1)
    ]


def _day_weight(day: int) -> float:
    when = _NEW_YEAR + timedelta(days=day)
    return _BUSY_MONTHS[when.month - 1] * (0.6 if when.weekday() == _SUNDAY else 1.0)


def sales_array(made: Sequence[Sale]) -> bytes:
    """Return the sales as one JSON array, a record on each line."""
    return b"[\n" + b",\n".join(_json(_record(sale)) for sale in made) + b"\n]\n"


def _record(sale: Sale) -> dict[str, Any]:
    return {
        "sale_id": sale.number,
        "order_no": f"SO-2025-{sale.number:06d}",
        "sold_at": sale.sold_at.isoformat()[:19] + "Z",
        "customer_id": sale.customer,
        "store": sale.store,
        "channel": sale.channel,
        "product": {
            "sku": sale.product.sku,
            "name": sale.product.name,
            "category": sale.product.category,
        },
        "quantity": sale.quantity,
        "unit_price": sale.product.price_cents / 100,
        "discount_pct": sale.discount,
        "total": sale.total_cents / 100,
        "currency": _CURRENCIES[_COUNTRIES[sale.store]],
        "tags": sale.tags,
    }


def daily_totals(made: Sequence[Sale]) -> Iterator[tuple[str, bytes]]:
    """Yield each day of the year with the Parquet file of its totals."""
    groups: dict[tuple[str, str, str], list[int]] = {}
    for sale in made:
        key = (sale.sold_at.isoformat()[:10], sale.store, sale.product.category)
        totals = groups.setdefault(key, [0, 0, 0])
        totals[0] += 1
        totals[1] += sale.quantity
        totals[2] += sale.total_cents
    rows = (
        (store, category, orders, units, f"{cents // 100}.{cents % 100:02d}")
        for (_, store, category), (orders, units, cents) in sorted(groups.items())
    )
    table = typed_table(rows, _DAILY_SCHEMA)
    at = 0
    for day, of_day in groupby(sorted(groups), key=lambda key: key[0]):
        count = len(list(of_day))
        sink = io.BytesIO()
        pq.write_table(table.slice(at, count), sink, compression="snappy")
        yield day, sink.getvalue()
        at += count


def web_events() -> bytes:
    """Return web events as gzipped JSON Lines, of which not all have the same fields."""
    draws = Draws("web events")
    second = 0
    lines = []
    for number in range(1, EVENTS + 1):
        second += draws.skewed(12, 1.5) + 1
        lines.append(_json(_event(draws, number, _NEW_YEAR + timedelta(days=364, seconds=second))))
    # No name and no time in the header: the same bytes each time.
    return gzip.compress(b"\n".join(lines) + b"\n", compresslevel=6, mtime=0)


def _event(draws: Draws, number: int, when: datetime) -> dict[str, Any]:
    kind = draws.pick(("page_view", "page_view", "page_view", "search", "add_to_cart", "purchase"))
    product = draws.pick(words.PRODUCTS)
    properties: dict[str, Any] = {"sku": product.sku}
    if kind == "search":
        properties = {"query": product.name.split(",")[0].lower(), "results": draws.integer(0, 40)}
    elif kind == "purchase":
        properties |= {"total": product.price_cents / 100, "currency": "EUR"}
    event: dict[str, Any] = {
        "event_id": f"e{number:08d}",
        "at": f"{when:%Y-%m-%dT%H:%M:%S}.{draws.integer(0, 1000):03d}Z",
        "type": kind,
        "session": f"{draws.integer(0, 2**32):08x}",
        "device": {"os": draws.pick(("iOS", "Android", "Windows", "macOS", "Linux"))},
        "properties": properties,
    }
    if draws.happens(0.4):
        event["customer_id"] = customer_id(draws.skewed(CUSTOMERS) + 1)
    return event


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
