"""Statements that cost time or memory: those that the guard refuses, and those it cannot tell."""

CONTAINED = r"""
WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t
WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT * FROM t
SELECT count(*) FROM range(1000000000000)
SELECT count(*) FROM range(100000000) a, range(100000000) b
SELECT count(*) FROM data a, data b, data c, data d, data e
SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b
SELECT repeat('x', 4000000000)
SELECT length(repeat('x', 1000000000))
SELECT lpad('x', 2000000000, 'y')
SELECT printf('%1000000000d', 1)
SELECT format('{:1000000000}', 1)
SELECT range(800000000)
SELECT len(range(3000000000))
SELECT list_reduce(range(300000000), lambda a, b: a + b)
SELECT levenshtein(repeat('ab', 100000), repeat('ba', 100000))
SELECT damerau_levenshtein(repeat('ab', 100000), repeat('ba', 100000))
SELECT len(range(TIMESTAMP '0001-01-01', TIMESTAMP '9999-01-01', INTERVAL 1 MICROSECOND))
SELECT repeat('x', 1000000) FROM range(10000)
SELECT string_agg(repeat('x', 1000), '') FROM range(10000000)
SELECT list(r) FROM range(1000000000) t(r)
SELECT r, count(*) FROM range(1000000000) t(r) GROUP BY r
SELECT * FROM range(1000000000) t(r) ORDER BY hash(r)
SELECT unnest(range(1000000)), unnest(range(1000000)) FROM range(1000000)
SELECT regexp_replace(repeat('a', 10000000), '(a*)*b', 'x', 'g')
SELECT regexp_extract_all(repeat('a', 10000000), '')
SELECT list_sort(list_transform(range(30000000), lambda x: hash(x)))
SELECT row_number() OVER (ORDER BY hash(r)) FROM range(300000000) t(r)
SELECT a.r FROM range(100000000) a(r) JOIN range(100000000) b(r) ON a.r % 7 = b.r % 7
SELECT md5(string_agg(r::VARCHAR, '')) FROM range(1000000000) t(r)
SELECT histogram(r) FROM range(1000000000) t(r)
SELECT error('stop')
SELECT version(), current_user, current_database()
SELECT * FROM 's3://bucket/key@evil:80/a.csv'
SELECT * FROM 's3://bucket/../../etc/passwd'
SELECT * FROM 's3://bucket/%2e%2e/secret.csv'
SELECT * FROM "S3://BUCKET/a'b""c.csv"
SELECT * FROM read_csv(['s3a://bucket/a.csv', 's3n://bucket/b.csv'], header = true)
SHOW TABLES
SHOW ALL TABLES
WITH duckdb_tables AS (SELECT 1 AS one) FROM duckdb_tables
"""


def _ctes(count: int) -> str:
    steps = ", ".join(f"t{i} AS (FROM t{i - 1} UNION ALL FROM t{i - 1})" for i in range(1, count))
    return f"WITH t0 AS (SELECT 1 AS x), {steps} FROM t{count - 1}"


def _stars(stars: str, depth: int) -> str:
    return f"SELECT {stars} FROM (" * depth + "SELECT 1 AS a" + ")" * depth


TOO_MUCH = (
    "SELECT " + "1 + " * 5_000 + "1",
    "SELECT '" + "x" * 10_000 + "'",
    "SELECT 1 -- " + "x" * 50_000_000,
    "SELECT " + "(" * 101 + "1" + ")" * 101,
    "SELECT " + "(" * 4_000,
    "SELECT " + "[" * 4_000,
    "SELECT '" + "(" * 101 + "'",
    "SELECT * FROM " + "(SELECT * FROM " * 500 + "data" + ")" * 500,
    "SELECT " + "a." * 2_001 + "a FROM data",
    "SELECT " + ".".join("a" * 21) + " FROM data",
    "SELECT " + "NOT " * 300 + "true",
    "SELECT " + "- " * 300 + "1",
    "SELECT id" + "::INT" * 300 + " FROM data",
    "SELECT 1" + " + 1" * 300,
    "SELECT name" + ".upper()" * 300 + " FROM data",
    _ctes(21),
    _ctes(28),
    _ctes(12),
    _stars("*, *", 9),
    _stars("*, *, *, *, *, *", 10),
    "FROM data" + " UNION ALL FROM data" * 201,
    " UNION ALL ".join(
        ["SELECT 1 FROM data GROUP BY CUBE (a,b,c,d,e), CUBE (f,g,h,i,j), CUBE (k,l,m,n,o)"] * 20
    ),
    " UNION ALL ".join(["SELECT 1 FROM data GROUP BY CUBE (a,b,c,d,e,f,g,h,i,j,k,l,m,n)"] * 16),
    "WITH t AS (" + "FROM data" + " UNION ALL FROM data" * 150 + ") FROM t, t a, t b",
)
