"""Names of what lies in the demo lake."""

BUCKET = "demo-lake"
FAR_BUCKET = "demo-lake-eu"
EMPTY_BUCKET = "demo-lake-empty"
REGION = "us-east-1"
BUCKETS = {BUCKET: REGION, FAR_BUCKET: "eu-central-1", EMPTY_BUCKET: REGION}
"""Each bucket with its region."""

CUSTOMERS = "crm/customers.csv"
GERMAN = "crm/export/kunden.csv"
SALES = "sales/sales-2025.json"
DAILY = "sales/daily/"
BROKEN = "sales/import/orders-broken.csv"
READINGS = "iot/readings.parquet"
EVENTS = "web/events-2025-12-31.jsonl.gz"
ARCHIVED = "archive/2019/ledger.csv"
STORES = "stores/stores.csv"
ODD_KEYS = (
    "odd keys/spaces in the name.csv",
    "odd keys/a+b=c & more.csv",
    "odd keys/größe-尺寸-📏.csv",
    "odd keys/100%25 literal.csv",
    "odd keys/issue #7.csv",
    "odd keys/what?[1]*.csv",
    "odd keys//double//slash.csv",
)
