"""How text writes numbers and dates that no cast takes, and the SQL that reads it so."""

import re
from collections.abc import Iterator

from s3_data_lake_mcp.engines.connection import Session
from s3_data_lake_mcp.engines.sqltext import literal

HAS_DIGITS = "regexp_matches(v, '[0-9]')"
"""Tells of a text `v` that it may be a number or date: signs of missing values are none."""

_GROUPING = {
    ".": "'.'",
    ",": "','",
    " ": "' '",
    "\u00a0": "chr(160)",
    "\u202f": "chr(8239)",
    "'": "''''",
    "\u2019": "chr(8217)",
}
"""What may stand between thousands, as SQL."""

_OF_NUMBERS = re.compile(r"[\d.,'\u2019\s+-]+")
_SIGN = re.compile(r"[A-Za-z]{1,3}|[^\w\s'{}]")
_DATES = (
    (r"\d{1,2}\.\d{1,2}\.\d{4}", "%d.%m.%Y"),
    (r"\d{1,2}/\d{1,2}/\d{4}", "%d/%m/%Y"),
    (r"\d{1,2}/\d{1,2}/\d{4}", "%m/%d/%Y"),
    (r"\d{1,2}-\d{1,2}-\d{4}", "%d-%m-%Y"),
    (r"\d{1,2}-\d{1,2}-\d{4}", "%m-%d-%Y"),
    (r"\d{1,2}-[A-Za-z]{3}-\d{4}", "%d-%b-%Y"),
)
_TIMES = (
    ("", ""),
    (r" \d{1,2}:\d{2}", " %H:%M"),
    (r" \d{1,2}:\d{2}:\d{2}", " %H:%M:%S"),
    (r" \d{1,2}:\d{2} [AaPp][Mm]", " %I:%M %p"),
    (r" \d{1,2}:\d{2}:\d{2} [AaPp][Mm]", " %I:%M:%S %p"),
)


def ways(session: Session, rows: str, sample: str, text: str, kind: str) -> list[str]:
    """Return how to read a column's text as a type: nothing, or more than one, if in doubt.

    Args:
        session: Where to try it.
        rows: SQL of rows with a text `v` each.
        sample: One of them.
        text: The column as the query writes it.
        kind: Type to read it as.
    """
    is_date = kind.upper().startswith(("DATE", "TIMESTAMP"))
    found = list((_dates if is_date else _numbers)(sample))
    if not found:
        return []
    tried = ", ".join(
        f"count({way}) FILTER ({fits}), bit_xor(hash({way}))"
        for way, fits in ((way.format(text="v", kind=kind), fits) for way, fits in found)
    )
    total, *told = session.execute(
        f"SELECT count(*), {tried} FROM ({rows}) WHERE {HAS_DIGITS}"  # noqa: S608 - guarded
    )[0]
    by_values: dict[object, str] = {}
    for (way, _), fitting, values in zip(found, told[::2], told[1::2], strict=True):
        if fitting == total > 0:
            by_values.setdefault(values, way.format(text=text, kind=kind))
    return list(by_values.values())


def _dates(sample: str) -> Iterator[tuple[str, str]]:
    """Yield ways to read dates that are written as one, and what tells that a text may be one."""
    for day, day_format in _DATES:
        for time, time_format in _TIMES:
            if re.fullmatch(day + time, sample):
                written = f"{day_format}{time_format}"
                yield f"CAST(try_strptime({{text}}, '{written}') AS {{kind}})", "true"


def _numbers(sample: str) -> Iterator[tuple[str, str]]:
    text, sign = "{text}", _OF_NUMBERS.sub("", sample)
    if sign:
        if not _SIGN.fullmatch(sign):
            return
        text = f"replace({text}, '{sign}', '')"
    for group, written in _GROUPING.items():
        for point in (",", "."):
            if point == group:
                continue
            way = f"replace({text}, {written}, '')"
            way = f"replace({way}, ',', '.')" if point == "," else way
            form = rf"\s*[+-]?(\d{{1,3}}([{group}]\d{{3}})+|\d+)([{point}]\d+)?\s*"
            fits = f"regexp_full_match({text.format(text='v')}, {literal(form)})"
            yield f"TRY_CAST({way} AS {{kind}})", fits
