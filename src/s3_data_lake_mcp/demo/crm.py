"""Delimited text of the demo lake: customers, stores, and what exports look like elsewhere."""

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache

from s3_data_lake_mcp.demo import vocabulary as words
from s3_data_lake_mcp.demo.draws import Draws

CUSTOMER_COLUMNS = [
    *("customer_id", "company", "contact", "email", "phone", "street", "city", "postal_code"),
    *("country", "region", "segment", "industry", "employees", "annual_revenue", "signup_date"),
    *("last_order_at", "is_active", "credit_score", "notes"),
]
CUSTOMERS = 50_000

_SIZES = {
    "small": (1, 50),
    "mid-market": (50, 1_000),
    "enterprise": (1_000, 60_000),
    "public": (20, 9_000),
}
_FIRST_DAY = date(2015, 1, 1)
_DAYS = 11 * 365
_END_OF_2025 = datetime(2026, 1, 1, tzinfo=UTC)


def customer_id(number: int) -> str:
    """Return the key of the n-th customer, from 1."""
    return f"C{number:05d}"


def customers() -> bytes:
    """Return 50,000 customers: 19 columns, with all that makes CSV hard."""
    draws = Draws("customers")
    rows = (_customer(draws, number) for number in range(1, CUSTOMERS + 1))
    return _csv([CUSTOMER_COLUMNS, *rows])


def _customer(draws: Draws, number: int) -> tuple[object, ...]:
    company = (
        f"{draws.pick(words.COMPANY_STEMS)} {draws.pick(words.COMPANY_TRADES)} "
        f"{draws.pick(words.COMPANY_FORMS)}"
    )
    given, family = draws.pick(words.GIVEN_NAMES), draws.pick(words.FAMILY_NAMES)
    host = "-".join(company.lower().split()[:2])
    city = draws.pick(words.CITIES)
    segment = words.SEGMENTS.draw(draws)
    employees = draws.integer(*_SIZES[segment])
    cents = employees * draws.integer(6_000_000, 28_000_000) + draws.integer(0, 100)
    signup = _FIRST_DAY + timedelta(days=draws.integer(0, _DAYS))
    span = min(600, (_END_OF_2025.date() - signup).days) * 86_400
    ago = timedelta(seconds=draws.skewed(span))
    last_order = None if draws.happens(0.03) else (_END_OF_2025 - ago).isoformat()[:19] + "Z"
    return (
        customer_id(number),
        company,
        f"{given} {family}",
        f"{_ascii(given)}.{_ascii(family)}@{host}.example",
        f"{city.dialling} 555 {draws.integer(100, 200):04d}",
        f"{draws.pick(words.STREETS)} {draws.integer(1, 240)}",
        city.name,
        f"{city.postal_start + draws.integer(0, 12):05d}",
        city.country,
        city.region,
        segment,
        draws.pick(words.INDUSTRIES),
        employees,
        f"{cents // 100}.{cents % 100:02d}",
        signup,
        last_order,
        "true" if last_order and draws.happens(0.86) else "false",
        None if draws.happens(0.12) else round(draws.near(640, 210)),
        draws.pick(words.NOTES) if draws.happens(0.35) else None,
    )


def stores() -> bytes:
    """Return the eight stores, for joins from another bucket."""
    header = ["store", "city", "country", "opened_on", "floor_m2"]
    return _csv([header, *(line.split("|") for line in words.STORES)])


def german_customers() -> bytes:
    """Return an export as German Excel writes it: semicolons, decimal commas, Windows-1252."""
    draws = Draws("german customers")
    cities = [city for city in words.CITIES if city.country == "DE"]
    rows: list[Sequence[object]] = [
        ["Kundennummer", "Name", "Straße", "PLZ", "Ort", "Umsatz (€)", "Kunde seit", "Bemerkung"]
    ]
    for number in range(1, 2_001):
        city = draws.pick(cities)
        cents = draws.integer(5_000, 90_000_000)
        whole = f"{cents // 100:,}".replace(",", ".")
        since = _FIRST_DAY + timedelta(days=draws.integer(0, _DAYS))
        rows.append(
            [
                f"{number:06d}",
                f"{draws.pick(words.FAMILY_NAMES[:5])} {draws.pick(words.COMPANY_TRADES)} GmbH",
                f"{draws.pick(('Hauptstraße', 'Gartenweg', 'Königsallee'))} {draws.integer(1, 99)}",
                f"{city.postal_start + draws.integer(0, 9):05d}",
                city.name,
                f"{whole},{cents % 100:02d}",
                f"{since:%d.%m.%Y}",
                draws.pick(("", "", "Grüße ausrichten", "Rechnung über 1.000 € offen; mahnen")),
            ]
        )
    return _csv(rows, delimiter=";", newline="\r\n").decode().encode("cp1252")


BROKEN_SHORT_EVERY = 97
BROKEN_LONG_EVERY = 131
BROKEN_ROWS = 1_000


def broken_orders() -> bytes:
    """Return orders of which some lines have a field too few, and some one too many."""
    draws = Draws("broken orders")
    lines = ["order_no,ordered_on,customer_id,amount,status"]
    for number in range(1, BROKEN_ROWS + 1):
        day = date(2025, 6, 1) + timedelta(days=number // 34)
        fields = [
            f"SO-{number:05d}",
            f"{day}",
            customer_id(draws.integer(1, CUSTOMERS + 1)),
            "N/A" if draws.happens(0.02) else f"{draws.integer(500, 90_000) / 100:.2f}",
            draws.pick(("paid", "open", "cancelled")),
        ]
        if number % BROKEN_SHORT_EVERY == 0:
            fields = fields[:-1]
        elif number % BROKEN_LONG_EVERY == 0:
            fields = [*fields, "checked by hand"]
        lines.append(",".join(fields))
    return "\n".join(lines).encode() + b"\n"


def ledger() -> bytes:
    """Return the old ledger that lies in the archive."""
    draws = Draws("ledger")
    rows = (
        [number, date(2019, 1, 1) + timedelta(days=number % 365), draws.integer(-9_000, 9_000)]
        for number in range(1, 501)
    )
    return _csv([["entry", "booked_on", "amount"], *rows])


def note(subject: str) -> bytes:
    """Return a small table about an object with an odd name."""
    return _csv([["line", "subject"], [1, subject], [2, "the key is taken literally"]])


def _csv(rows: Iterable[Sequence[object]], *, delimiter: str = ",", newline: str = "\n") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=newline).writerows(rows)
    return text.getvalue().encode()


@cache
def _ascii(name: str) -> str:
    """Return a name as it stands in an e-mail address."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss").replace("ø", "o"))
    return "".join(letter for letter in plain.lower() if letter.isascii() and letter.isalpha())
