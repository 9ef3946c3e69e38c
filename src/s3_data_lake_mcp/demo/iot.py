"""Sensor readings of the demo lake, as one Parquet file of several row groups."""

import io
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from s3_data_lake_mcp.demo.draws import Draws
from s3_data_lake_mcp.demo.typed import typed_table

READINGS = 100_000
ROWS_PER_GROUP = 10_000
SENSORS = 40
POWER_ON_CELSIUS = 85.0
"""What this kind of sensor reports before its first measurement: the outlier to find."""

_START = datetime(2025, 12, 1, tzinfo=UTC)
_STEP = timedelta(minutes=15)
_SITES = ("Boston plant", "Dresden plant", "Lyon warehouse", "Milano warehouse")

_FIELDS: "list[pa.Field[Any]]" = [
    pa.field("reading_id", pa.int64(), nullable=False),
    pa.field("sensor_id", pa.string(), nullable=False),
    pa.field("site", pa.string(), nullable=False),
    pa.field("measured_at", pa.timestamp("us", tz="UTC"), nullable=False),
    pa.field("temperature_c", pa.float64()),
    pa.field("humidity_pct", pa.float64()),
    pa.field("battery_pct", pa.int16()),
    pa.field("status", pa.string()),
]
_SCHEMA = pa.schema(_FIELDS)


def readings() -> bytes:
    """Return 100,000 readings of 40 sensors, sorted by time, in ten row groups."""
    draws = Draws("readings")
    rows = (_reading(draws, number, *divmod(number, SENSORS)) for number in range(READINGS))
    sink = io.BytesIO()
    pq.write_table(
        typed_table(rows, _SCHEMA), sink, row_group_size=ROWS_PER_GROUP, compression="zstd"
    )
    return sink.getvalue()


def _reading(draws: Draws, number: int, step: int, sensor: int) -> tuple[object, ...]:
    day_part = (step % 96) / 96
    celsius: float | None = (
        18 + sensor % 7 + 4 * math.sin(2 * math.pi * (day_part - 0.3)) + draws.near(0, 1.5)
    )
    humidity: float | None = draws.near(48 - sensor % 5, 14)
    status = "ok"
    if draws.happens(0.0006):
        celsius, status = POWER_ON_CELSIUS, "restarted"
    elif draws.happens(0.011):
        celsius, humidity, status = None, None, "offline"
    return (
        number + 1,
        f"S-{sensor + 1:03d}",
        _SITES[sensor % len(_SITES)],
        _START + step * _STEP,
        None if celsius is None else round(celsius, 2),
        None if humidity is None else round(humidity, 1),
        100 - (step + sensor * 17) // 40 % 90,
        status,
    )
