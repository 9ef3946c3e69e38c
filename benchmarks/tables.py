"""What the data sets hold: one SQL relation each, a pure function of the row's number.

The truth that every side's answer is held to is worked out from these relations, not from the
files, so no reader is its own judge. `hash` is DuckDB's, whose version the lock file pins.
"""

from collections.abc import Mapping
from typing import Final

SEED: Final = 20_261_125

MACROS: Final = (
    f"CREATE OR REPLACE MACRO h(i, salt) AS hash(i * 64 + salt + {SEED}::BIGINT * 1000003)",
    "CREATE OR REPLACE MACRO below(i, salt, n) AS (h(i, salt) % n)::BIGINT",
    "CREATE OR REPLACE MACRO pick(i, salt, words) AS words[1 + below(i, salt, len(words))]",
    "CREATE OR REPLACE MACRO unit(i, salt) AS below(i, salt, 1000000) / 1e6",
)

_FIRST: Final = (
    "['Ada','Ben','Chloé','Dana','Emil','Fatima','Grace','Hiro','Ines','João','Kira','Liam']"
)
_LAST: Final = (
    "['Anders','Baker','Castillo','Dubois','Eriksson','Fischer','García','Hansen','Ito','Jensen',"
    "'Kowalski','Larsen','Müller','Novak','O''Brien','Petrov']"
)
_COMPANY: Final = (
    "['Northwind Traders','Baker, Klein & Co','Contoso Logistics','Fabrikam \"West\" Ltd',"
    "'Initech Systems','Globex Manufacturing','Umbra, Sons and Partners','Stark Energy']"
)
_CITY: Final = (
    "['Boston','Newark','Hartford','Providence','Lyon','Hamburg','Porto','Kraków','Osaka','Austin',"
    "'Denver','São Paulo','Toronto','Leeds','Malmö','Turin']"
)
_NOTE: Final = (
    "['prefers to be called, not written to','renewal due in spring; ask for the new contact',"
    "'escalated twice, see tickets','interested in the premium plan','no open issues']"
)

CUSTOMERS: Final = f"""
SELECT i + 1 AS customer_id,
       pick(i, 1, {_FIRST}) || ' ' || pick(i, 2, {_LAST}) AS name,
       'user' || (i + 1) || '@' || pick(i, 3, ['example.com','mail.example.org','corp.example.net'])
           AS email,
       '+1-555-' || lpad(below(i, 4, 10000000)::VARCHAR, 7, '0') AS phone,
       pick(i, 5, {_COMPANY}) AS company,
       pick(i, 6, ['Finance','Retail','Energy','Health','Software','Logistics','Media','Education',
                   'Construction','Agriculture']) AS industry,
       pick(i, 7, ['enterprise','mid-market','small business','public sector']) AS segment,
       pick(i, 8, ['north','south','east','west','central']) AS region,
       pick(i, 9, ['US','FR','DE','PT','PL','JP','BR','CA','GB','SE','IT']) AS country,
       pick(i, 10, {_CITY}) AS city,
       lpad(below(i, 11, 100000)::VARCHAR, 5, '0') AS postal_code,
       (1 + below(i, 12, 9900)) || ' ' || pick(i, 13, ['Main St','Oak St','Harbour','Station'])
           AS street,
       DATE '2015-01-01' + below(i, 14, 4000)::INTEGER AS signup_date,
       TIMESTAMP '2026-01-01' + to_seconds(below(i, 15, 25000000)) AS last_login,
       1 + (below(i, 16, 5000) * unit(i, 17))::BIGINT AS employees,
       (100000 + below(i, 18, 9900000000) / 100.0)::DECIMAL(14, 2) AS annual_revenue,
       CASE WHEN below(i, 19, 40) > 0 THEN 300 + below(i, 20, 551) END AS credit_score,
       below(i, 21, 5) > 0 AS is_active,
       CASE WHEN below(i, 22, 3) > 0 THEN pick(i, 23, {_NOTE}) END AS notes
FROM range($start, $stop) t(i)
"""  # noqa: S608 - constants of this module

EVENTS: Final = """
SELECT i AS event_id,
       strftime(TIMESTAMP '2026-03-01' + to_milliseconds(i * 137), '%Y-%m-%dT%H:%M:%S.%gZ') AS at,
       pick(i, 1, ['page_view','click','purchase','search','login','error']) AS type,
       {'id': below(i, 2, 250000), 'country': pick(i, 3, ['US','FR','DE','PT','JP','BR','IN','GB']),
        'plan': pick(i, 4, ['free','team','business']),
        'tags': list_value(pick(i, 5, ['new','vip','beta','trial']), pick(i, 6, ['eu','us','ap']))}
           AS user,
       {'os': pick(i, 7, ['ios','android','windows','macos','linux']),
        'app': {'version': (1 + below(i, 8, 9)) || '.' || below(i, 9, 20),
                'build': below(i, 10, 9999)}} AS device,
       round(unit(i, 11) * 500, 2) AS amount,
       list_transform(range(1 + below(i, 12, 2)), lambda k: {
           'sku': 'SKU-' || below(i * 8 + k, 13, 9000),
           'quantity': 1 + below(i * 8 + k, 14, 5),
           'price': round(unit(i * 8 + k, 15) * 90, 2)}) AS items,
       '/shop/' || pick(i, 16, ['books','garden','audio','kitchen']) || '/' || below(i, 17, 100000)
           AS path,
       CASE WHEN below(i, 18, 10) > 0
           THEN 'https://search.example.com/?q=' || below(i, 19, 100000) END AS referrer,
       below(i, 20, 50) > 0 AS ok
FROM range($start, $stop) t(i)
"""

_MEASURED: Final = ", ".join(
    f"round({low} + unit(i, {7 + number}) * {span}, {digits}) AS {name}"
    for number, (name, low, span, digits) in enumerate(
        (
            ("temperature", -20, 60, 2),
            ("humidity", 5, 90, 1),
            ("pressure", 950, 100, 1),
            ("voltage", 3, 1.5, 3),
            ("current", 0, 2, 3),
            ("power", 0, 9, 9),
            ("vibration_x", -1, 2, 9),
            ("vibration_y", -1, 2, 9),
            ("vibration_z", -1, 2, 9),
            ("noise", 20, 90, 1),
            ("light", 0, 900, 0),
            ("co2", 380, 900, 0),
            ("flow", 0, 40, 2),
            ("level", 0, 10, 2),
            ("speed", 0, 120, 1),
            ("torque", 0, 80, 9),
        )
    )
)

READINGS: Final = f"""
SELECT 1000000 + i * 3 AS reading_id,
       TIMESTAMP '2026-01-01' + to_milliseconds(i * 1500) AS at,
       pick(i, 1, ['ams','bos','cph','dub','ewr','fra','gru','hnd','iad','jfk','lis','waw'])
           AS site,
       pick(i, 2, ['north','south','east','west','central']) AS region,
       'dev-' || lpad(below(i, 3, 5000)::VARCHAR, 5, '0') AS device,
       pick(i, 4, ['T100','T200','T200x','P10','P12','H5','H7','H9']) AS model,
       pick(i, 5, ['ok','ok','ok','ok','ok','ok','ok','warn','error','offline']) AS status,
       below(i, 6, 200)::INTEGER AS batch,
       {_MEASURED},
       CASE WHEN below(i, 30, 20) > 0 THEN round(unit(i, 31) * 100, 1) END AS battery,
       CASE WHEN below(i, 32, 10) > 0 THEN below(i, 33, 100)::INTEGER END AS signal,
       below(i, 34, 4)::TINYINT AS channel, below(i, 35, 1000)::INTEGER AS cycles,
       below(i, 36, 2) > 0 AS calibrated, below(i, 37, 60000)::INTEGER AS uptime
FROM range($start, $stop) t(i)
"""  # noqa: S608 - constants of this module

RELATIONS: Final[Mapping[str, str]] = {
    "customers": CUSTOMERS,
    "events": EVENTS,
    "readings": READINGS,
}


def relation(name: str, start: int, stop: int) -> str:
    """Return the SQL of the rows [start, stop) of a relation."""
    return RELATIONS[name].replace("$start", str(start)).replace("$stop", str(stop))
