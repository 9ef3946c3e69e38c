"""Calls of functions as other engines have them, in DuckDB's own words."""

import re
from collections.abc import Callable, Mapping, Sequence

from s3_data_lake_mcp.engines.guard_text import Token, ascii_lower, tokens

_MOST_CALLS = 50
_SHORT = {"y": "year", "yy": "year", "yyyy": "year", "mm": "month", "dd": "day", "hh": "hour"}
_PARTS = ("year", "quarter", "month", "day", "hour", "minute", "second", "isoweek", "week(monday)")
"""Parts of a date that mean the same everywhere; weeks begin on Sunday in some dialects."""

_DIGITS = re.compile(r"'[09,.]+'")
_LITERAL = re.compile(r"[rR]?'((?:[^']|'')*)'")
_CODES = {
    "mysql": "%i=%M %s=%S %M=%B %h=%I %W=%A %c=%-m %e=%-d",
    "c": "%M=%M %I=%I %B=%B %A=%A %F=%Y-%m-%d %T=%H:%M:%S",
    "oracle": "yyyy=%Y yy=%y month=%B mon=%b mm=%m dd=%d hh24=%H hh12=%I mi=%M ss=%S",
    "java": "yyyy=%Y yy=%y MMMM=%B MMM=%b MM=%m dd=%d HH=%H hh=%I mm=%M ss=%S EEEE=%A a=%p",
}
"""Codes of formats with DuckDB's, by dialect; those with % may also be one of the common ones."""

_TYPE = re.compile(
    r"(?:N?VARCHAR|N?CHAR|TEXT|(?:BIG|SMALL|TINY)?INT(?:EGER)?|DOUBLE|FLOAT|REAL|DATE|TIME|TIMESTAMP)"
    r"|DECIMAL\s*\(\s*\d+\s*(?:,\s*\d+\s*)?\)",
    re.IGNORECASE,
)
_CASTS = {"signed": "BIGINT", "unsigned": "UBIGINT", "datetime": "TIMESTAMP", "bit": "BOOLEAN"}
"""Types that are called otherwise here."""

_COMMON = ("%Y", "%y", "%m", "%d", "%H", "%S", "%j", "%p", "%b", "%a", "%f", "%%")


def _part(text: str) -> str:
    """Return the date part that an argument names, as DuckDB writes it; empty if it is none."""
    word = re.sub(r"\s", "", text.strip("'")).lower()
    word = _SHORT.get(word, word.removesuffix("s"))
    if word not in _PARTS:
        return ""
    return "week" if "week" in word else word


def _format(dialect: str) -> Callable[[str], str]:
    def translated(text: str) -> str:
        """Return a format in strftime's codes; empty if a code of it is not known."""
        found = _LITERAL.fullmatch(text)
        if found is None:
            return ""
        kind = "mysql" if dialect == "java" and "%" in found[1] else dialect
        written = found[1].lower() if kind == "oracle" else found[1]
        codes = dict(code.split("=") for code in _CODES[kind].split(" "))
        if kind in {"mysql", "c"}:
            codes = {common: common for common in _COMMON} | codes
        known = sorted(codes, key=len, reverse=True)
        pieces = re.findall("|".join([*map(re.escape, known), "[^A-Za-z%]"]), written)
        if "".join(pieces) != written:
            return ""
        return "'" + "".join(codes.get(piece, piece) for piece in pieces) + "'"

    return translated


def _pattern(text: str) -> str:
    """Return a regular expression without the r that marks it as raw."""
    found = _LITERAL.fullmatch(text)
    return f"'{found[1]}'" if found else text


def _type(text: str) -> str:
    return text.upper() if _TYPE.fullmatch(text) else _CASTS.get(text.lower(), "")


def _interval(text: str) -> str:
    return text if text[:8].lower() == "interval" else ""


_KINDS: Mapping[str, Callable[[str], str]] = {
    ".": str,
    "part": _part,
    "word": lambda text: "" if "'" in text else _part(text),
    "zone": lambda text: "" if text[:2] in {"'+", "'-"} else text,
    "digits": lambda text: text if _DIGITS.fullmatch(text) else "",
    "interval": _interval,
    "type": _type,
    "pattern": _pattern,
    **{dialect: _format(dialect) for dialect in _CODES},
}
_CALLS = """
add_months . . = ({0} + to_months({1}))
approx_distinct . = approx_count_distinct({0})
approx_percentile . . = approx_quantile({0}, {1})
array_join . . = array_to_string({0}, {1})
array_size . = len({0})
charindex . . = strpos({1}, {0})
contains_substr . . = contains(lower({0}), lower({1}))
convert . type = CAST({0} AS {1})
convert type . = CAST({1} AS {0})
collect_list . = list({0}) FILTER (WHERE {0} IS NOT NULL)
collect_set . = list(DISTINCT {0}) FILTER (WHERE {0} IS NOT NULL)
convert_timezone zone zone . = timezone({1}, timezone({0}, {2}))
convert_tz . zone zone = timezone({2}, timezone({1}, {0}))
current_timestamp = now()
date_add part . . = ({2} + INTERVAL ({1}) {0})
date_diff . . part = date_diff('{2}', {1}, {0})
date_format . java = strftime({0}, {1})
date_parse . mysql = strptime({0}, {1})
date_sub . interval = ({0} - {1})
date_sub . . = CAST({0} - to_days({1}) AS DATE)
day_of_month . = day({0})
day_of_week . = isodow({0})
day_of_year . = dayofyear({0})
date_trunc . part = date_trunc('{1}', {0})
dateadd part . . = ({2} + INTERVAL ({1}) {0})
datediff . . = date_diff('day', {1}, {0})
datediff word . . = date_diff('{0}', {1}, {2})
datetime_trunc . part = date_trunc('{1}', {0})
decode . . . . = CASE {0} WHEN {1} THEN {2} ELSE {3} END
decode . . . . . . = CASE {0} WHEN {1} THEN {2} WHEN {3} THEN {4} ELSE {5} END
decode . . . = CASE {0} WHEN {1} THEN {2} END
decode . . . . . = CASE {0} WHEN {1} THEN {2} WHEN {3} THEN {4} END
decode . . . . . . . = CASE {0} WHEN {1} THEN {2} WHEN {3} THEN {4} WHEN {5} THEN {6} END
decode . . . . . . . . = CASE {0} WHEN {1} THEN {2} WHEN {3} THEN {4} WHEN {5} THEN {6} ELSE {7} END
div0 . . = CASE {1} WHEN 0 THEN 0 ELSE ({0}) / ({1}) END
element_at . . = list_extract({0}, {1})
eomonth . = last_day({0})
explode . = unnest({0})
format . java = strftime({0}, {1})
format_date c . = strftime({1}, {0})
format_timestamp c . = strftime({1}, {0})
from_unixtime . = to_timestamp({0})
from_utc_timestamp . zone = timezone({1}, timezone('UTC', {0}))
get_json_object . . = json_extract_string({0}, {1})
getdate = now()
getutcdate = timezone('UTC', now())
iff . . . = if({0}, {1}, {2})
iif . . . = if({0}, {1}, {2})
initcap . = array_to_string([upper(w[1]) || w[2:] for w in string_split(lower({0}), ' ')], ' ')
isnull . = ({0} IS NULL)
isnull . . = coalesce({0}, {1})
isnumeric . = CAST(TRY_CAST({0} AS DOUBLE) IS NOT NULL AS INTEGER)
json_extract_scalar . . = json_extract_string({0}, {1})
json_query . . = json_extract({0}, {1})
julianday . = julian({0})
locate . . = strpos({1}, {0})
nullifzero . = nullif({0}, 0)
nvl . . = coalesce({0}, {1})
nvl2 . . . = CASE WHEN {0} IS NOT NULL THEN {1} ELSE {2} END
object_keys . = json_keys({0})
parse_date c . = CAST(strptime({1}, {0}) AS DATE)
percentile . . = quantile_cont({0}, {1})
percentile_cont . . = quantile_cont({0}, {1})
percentile_disc . . = quantile_disc({0}, {1})
percentile_approx . . = approx_quantile({0}, {1})
rand = random()
regexp_contains . pattern = regexp_matches({0}, {1})
regexp_count . pattern = len(regexp_extract_all({0}, {1}))
regexp_like . pattern = regexp_matches({0}, {1})
regexp_substr . pattern = regexp_extract({0}, {1})
replicate . . = repeat({0}, {1})
safe_divide . . = (({0}) / nullif({1}, 0))
size . = len({0})
space . = repeat(' ', {0})
stdev . = stddev({0})
stdevp . = stddev_pop({0})
square . = pow({0}, 2)
str_to_date . mysql = strptime({0}, {1})
sysdate = now()
timestamp_add . interval = ({0} + {1})
timestamp_diff . . part = date_sub('{2}', {1}, {0})
timestamp_millis . = to_timestamp(({0}) / 1000)
timestamp_seconds . = to_timestamp({0})
timestamp_sub . interval = ({0} - {1})
timestamp_trunc . part = date_trunc('{1}', {0})
timestampdiff part . . = date_sub('{0}', {1}, {2})
to_char . oracle = strftime({0}, {1})
to_date . oracle = CAST(strptime({0}, {1}) AS DATE)
to_date . = CAST({0} AS DATE)
to_number . = CAST({0} AS DOUBLE)
to_number . digits = CAST(replace({0}, ',', '') AS DOUBLE)
to_timestamp . oracle = strptime({0}, {1})
to_unixtime . = epoch({0})
to_utc_timestamp . zone = timezone('UTC', timezone({1}, {0}))
to_varchar . = CAST({0} AS VARCHAR)
trunc . part = date_trunc('{1}', {0})
truncate . . = trunc({0}, {1})
try_convert type . = TRY_CAST({1} AS {0})
try_parse_json . = TRY_CAST({0} AS JSON)
try_to_date . oracle = CAST(try_strptime({0}, {1}) AS DATE)
try_to_date . = TRY_CAST({0} AS DATE)
try_to_number . = TRY_CAST({0} AS DOUBLE)
varp . = var_pop({0})
unix_timestamp . = epoch({0})
unix_timestamp = epoch(now())
week_of_year . = weekofyear({0})
year_of_week . = isoyear({0})
zeroifnull . = coalesce({0}, 0)
"""
"""Names with the kinds of their arguments, and what to write."""


def _rules() -> dict[str, list[tuple[Sequence[str], str]]]:
    rules: dict[str, list[tuple[Sequence[str], str]]] = {}
    for line in _CALLS.strip().split("\n"):
        call, template = line.split(" = ", 1)
        name, *kinds = call.split(" ")
        rules.setdefault(name, []).append((kinds, template))
    return rules


_RULES = _rules()


def is_date_part(name: str) -> bool:
    """Whether a name may be a part of a date, in a function that takes one as a word."""
    return bool(_part(name)) or name.lower() == "monday"


def own_calls(sql: str) -> tuple[str, dict[str, str]]:
    """Return a query with calls of other engines turned into DuckDB's own, and what became of them.

    A call that DuckDB has itself may be among them: ask where it has failed.
    """
    done: dict[str, str] = {}
    last = len(sql)
    for _ in range(_MOST_CALLS):
        words = tokens(sql)
        # From the end, so that what is inside of a call comes before it.
        for at in range(len(words) - 1, -1, -1):
            if words[at].start < last and (found := _own(sql, words, at)):
                new, stop = found
                done.setdefault(ascii_lower(words[at].text), new)
                last, sql = words[at].start, sql[: words[at].start] + new + sql[stop:]
                break
        else:
            break
    return sql, done


def _own(sql: str, words: Sequence[Token], at: int) -> tuple[str, int] | None:
    """Return what to write for the call at a place, and where it ends; None if it is no such."""
    rules = _RULES.get(ascii_lower(words[at].text), []) if words[at].is_word else []
    if not rules or at + 1 >= len(words) or words[at + 1].text != "(":
        return None
    depth, begin, arguments = 0, words[at + 1].stop, []
    for word in words[at + 1 :]:
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(word.text, 0)
        if not depth or (depth == 1 and word.text == ","):
            arguments.append(sql[begin : word.start].strip())
            begin = word.stop
        if not depth:
            break
    else:
        return None
    given = [text for text in arguments if text]
    for kinds, template in rules:
        if len(kinds) == len(given):
            read = [_KINDS[kind](text) for kind, text in zip(kinds, given, strict=True)]
            if all(read):
                return template.format(*read), begin
    return None
