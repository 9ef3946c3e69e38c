"""What a key's name says: its folders, partitions, dates, and the part that varies."""

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from s3_data_lake_mcp.storage.keys import PARTITION, is_private

_NUMBER = r"(?<!\d)"
_MONTH = r"(?:0[1-9]|1[0-2])"
_DAY = r"(?:0[1-9]|[12]\d|3[01])"
_YEAR = r"(?:19|20)\d\d"
_DATE = (
    "(?:" + "|".join(_YEAR + mark + _MONTH + mark + _DAY for mark in ("-", "", "_", r"\.")) + ")"
)
# Of an identifier behind a date, such as `_12ab34cd`, the digits are no time.
_TIME = r"[T_ -]?(?:[01]\d|2[0-3])(?:[-_:.h]?[0-5]\d){0,2}(?:\.\d+)?(?:Z|h|UTC)?(?![0-9A-Za-z])"
_WEEK = r"[Ww](?:0[1-9]|[1-4]\d|5[0-3])"
_HEX = r"(?=[0-9a-fA-F]*\d)(?=[0-9a-fA-F]*[a-fA-F])[0-9a-fA-F]{8,}(?![0-9A-Za-z])"
_VARYING = re.compile(
    rf"(?P<uuid>[0-9a-fA-F]{{8}}-(?:[0-9a-fA-F]{{4}}-){{3}}[0-9a-fA-F]{{12}})"
    rf"|(?P<date>{_NUMBER}{_DATE}(?!\d))(?P<time>{_TIME})?"
    rf"|(?P<stamp>{_NUMBER}{_DATE}(?:[01]\d|2[0-3])(?:[0-5]\d){{0,2}})(?!\d)"
    rf"|(?P<month>{_NUMBER}{_YEAR}[-_.]?{_MONTH}(?!\d))"
    rf"|(?P<period>{_NUMBER}{_YEAR}[-_.]?(?:[Qq][1-4]|{_WEEK})(?![0-9A-Za-z])"
    rf"|(?<![0-9A-Za-z])[Qq][1-4][-_.]?{_YEAR}(?!\d))"
    rf"|(?P<hex>(?<![0-9A-Za-z]){_HEX})"
    rf"|(?P<year>{_NUMBER}{_YEAR}(?!\d))"
    rf"|(?P<number>\d+)"
)
_RUNS = re.compile(r"\*(?:[-_.]?\*)+")
_PERIOD = re.compile(rf"[Qq][1-4]|{_WEEK}")
_DATED_FOLDER = re.compile(
    rf"(?:{_DATE}|{_YEAR}-?{_MONTH}|{_YEAR}(?:[-_.]?(?:[Qq][1-4]|{_WEEK}))?)"
)
_TWO_DIGITS = re.compile(r"\d\d?")
_SHORT_DATE = re.compile(rf"(?<![0-9A-Za-z])(\d\d)({_MONTH})({_DAY})(?![0-9A-Za-z])")
_ONE_PART = re.compile(rf"(?:[^0-9]*[^0-9A-Za-z])?(\d\d|[Qq][1-4]|{_WEEK})(?:[^0-9A-Za-z][^0-9]*)?")
_CLOCK = re.compile(r"([01]\d|2[0-3])[-_:.h]?([0-5]\d)(?:[-_:.m]?[0-5]\d)?")
_IGNORED_NAMES = re.compile(
    r"_SUCCESS$|_committed_|_started_|.*\.crc$|_metadata$|_common_metadata$|.*\.csv\.metadata$"
)
_SUFFIX = re.compile(rf"(?:\.(?!{_HEX})[A-Za-z][A-Za-z0-9]{{0,11}}){{1,2}}$")
_DIGIT = re.compile(r"[0-9]")
_GLOB_CHARACTER = re.compile(r"([*?\[])")
_PARTS = ("year", "month", "day", "hour", "minute")
_YEAR_CHARS = len("2026")
_PART_CHARS = len("31")
_DAY_CHARS = len("2026-01-31")
_MONTH_CHARS = len("2026-01")
_BELOW = {
    _YEAR_CHARS: ("-", re.compile(_MONTH)),
    _MONTH_CHARS: ("-", re.compile(_DAY)),
    _DAY_CHARS: ("T", re.compile(r"[01]\d|2[0-3]")),
    len("2026-01-31T23"): (":", re.compile(r"[0-5]\d")),
}
"""What follows a moment of so many characters: a mark and two digits."""

FOLDERS_AND_NAMES = "folders and names"
"""What carries a date whose months are folders and whose days are names, or days and hours."""

FOLDERS_AND_NUMBERS = "folders and numbers of names"
"""The same where a name says more, as `2026/report-01.csv`: it may be a number of a part."""

SHORT_DATES = "names (yymmdd)"
"""What may be dates without their century, `log_260131.csv`, or numbers."""
_ALIASES = {
    "yyyy": "year", "yr": "year", "y": "year", "mm": "month", "mon": "month", "m": "month",
    "dd": "day", "d": "day", "hh": "hour", "hr": "hour", "h": "hour",
    "min": "minute",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyShape:
    """The shape of a key: what stays the same in its data set, and what varies.

    `folders` and `stem` hold `*` where a partition value, date, number or identifier stood.
    `partitions` are the Hive columns with their decoded values. `moments` maps what carries a
    date (a column, `folders`, `names` or both) to that date in ISO form, as exact as it is given.
    """

    folders: tuple[str, ...]
    stem: str
    suffix: str
    partitions: tuple[tuple[str, str], ...]
    moments: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Folders:
    """What the folders of a key say, to be asked once for all keys in them."""

    hidden: bool
    templates: tuple[str, ...]
    partitions: tuple[tuple[str, str], ...]
    moments: tuple[tuple[str, str], ...]
    dated: str


def is_hidden(key: str) -> bool:
    """Whether readers of lakes skip the key: `_temporary/`, `.staging/`, `_SUCCESS` and so on."""
    path, _, name = key.rpartition("/")
    return _folders_of(path).hidden or is_private(name) or bool(_IGNORED_NAMES.match(name))


def shape_of(key: str) -> KeyShape:
    """Take a key apart."""
    path, slash, name = key.rpartition("/")
    above = _folders_of(path)
    suffix_match = _SUFFIX.search(name)
    suffix = suffix_match.group() if suffix_match and suffix_match.start() else ""
    bare = name[: len(name) - len(suffix)] if suffix else name
    template, moment = template_of(bare)
    # Of a day's folder, 2015 is no year.
    named = _part_of_folder(above.dated, bare) if above.dated else ()
    if moment and not named:
        named = (("names", moment),)
    if len(moment) in (0, _MONTH_CHARS) and (short := _SHORT_DATE.search(bare)):
        named = (*named, (SHORT_DATES, f"20{short[1]}-{short[2]}-{short[3]}"))
    return KeyShape(
        folders=above.templates if slash else (),
        stem=template,
        suffix=suffix,
        partitions=above.partitions,
        moments=(*above.moments, *named),
    )


def _part_of_folder(moment: str, bare: str) -> tuple[tuple[str, str], ...]:
    """Return the day that a name of two digits is of the month in its folders, `2026/01/31.csv`.

    In the folder of a day it is an hour, `2026/01/31/23.csv`, in that of a year a month.
    """
    if len(moment) == _DAY_CHARS and (clock := _CLOCK.fullmatch(bare)):
        return ((FOLDERS_AND_NAMES, f"{moment}T{clock[1]}:{clock[2]}"),)
    found = _ONE_PART.fullmatch(bare)
    part = found[1] if found else ""
    if len(moment) == _YEAR_CHARS and _PERIOD.fullmatch(part):
        return ((FOLDERS_AND_NAMES, _period(moment + part)),)
    mark, below = _BELOW.get(len(moment), ("", _PERIOD))
    if not below.fullmatch(part):
        return ()
    label = FOLDERS_AND_NAMES if part == bare else FOLDERS_AND_NUMBERS
    return ((label, f"{moment}{mark}{part}"),)


@lru_cache(maxsize=4096)
def _folders_of(path: str) -> _Folders:
    folders = path.split("/")
    partitions: list[tuple[str, str]] = []
    templates: list[str] = []
    dated: list[str] = []
    named = ""
    for folder in folders:
        if hive := PARTITION.fullmatch(folder):
            partitions.append((hive[1], unquote(hive[2])))
            templates.append(f"{hive[1]}=*")
        elif _is_dated(folder, dated):
            dated.append(folder)
            templates.append("*")
        else:
            template, told = template_of(folder)
            # A number may look like a year or month.
            is_day = len(told) >= _DAY_CHARS
            templates.append(template if is_day else folder)
            named = told if is_day else named
    moments = _partition_moments(partitions)
    moment = max(_folder_moment(dated) if dated else "", named, key=len)
    if moment:
        moments.append(("folders", moment))
    return _Folders(
        hidden=any(map(is_private, folders)),
        templates=tuple(templates),
        partitions=tuple(partitions),
        moments=tuple(moments),
        dated=moment,
    )


def template_of(stem: str) -> tuple[str, str]:
    """Return the name with `*` for what varies, and the first date in it, ISO, or an empty text."""
    moment = ""

    def star(match: re.Match[str]) -> str:
        nonlocal moment
        if not moment:
            moment = _iso(match)
        return "*"

    return _RUNS.sub("*", _VARYING.sub(star, stem)), moment


def _iso(match: re.Match[str]) -> str:
    if text := match["date"] or match["stamp"]:
        digits = re.sub(r"\D", "", text + (match["time"] or ""))
        return _joined(digits[:4], digits[4:6], digits[6:8], digits[8:10], digits[10:12])
    if match["month"]:
        return f"{match['month'][:4]}-{match['month'][-2:]}"
    if match["period"]:
        return _period(match["period"])
    return match["year"] or ""


def _period(text: str) -> str:
    """Return the quarter or week in a text as `2026Q1` or `2026-W05`, empty for none."""
    year, period = re.search(_YEAR, text), _PERIOD.search(text)
    if not (year and period):
        return ""
    return f"{year[0]}{'-' if period[0][0] in 'Ww' else ''}{period[0].upper()}"


def _is_dated(folder: str, dated: list[str]) -> bool:
    if _DATED_FOLDER.fullmatch(folder):
        return True
    if len(dated) == 1 and len(dated[0]) == _YEAR_CHARS and _PERIOD.fullmatch(folder):
        return True
    # Below a year alone, two digits are a month, then a day, then an hour.
    return bool(dated) and len(dated) < len(_PARTS) and bool(_TWO_DIGITS.fullmatch(folder))


def _folder_moment(dated: list[str]) -> str:
    if period := _period("".join(dated)):
        return period
    digits = "".join(re.sub(r"\D", "", part).rjust(2, "0") for part in dated)
    return _joined(digits[:4], digits[4:6], digits[6:8], digits[8:10], digits[10:12])


def date_part(column: str) -> str:
    """Return the name of the part of a date that a column of this name would hold."""
    return _ALIASES.get(column.lower(), column.lower())


def _partition_moments(partitions: list[tuple[str, str]]) -> list[tuple[str, str]]:
    parts: dict[str, str] = {}
    moments: list[tuple[str, str]] = []
    for column, value in partitions:
        part = date_part(column)
        if part == "quarter" and (last := value.upper().removeprefix("Q")) in {"1", "2", "3", "4"}:
            parts[part] = f"Q{last}"
        elif part in _PARTS and value.isdigit() and len(value) <= _chars(part):
            parts[part] = value.rjust(2, "0")
        elif (found := _VARYING.fullmatch(value)) and (moment := _iso(found)):
            moments.append((column, moment))
    if "year" in parts and "quarter" in parts and "month" not in parts:
        moments.append(("year/quarter", parts["year"] + parts["quarter"]))
    elif "year" in parts:
        joined = _joined(*(parts.get(part, "") for part in _PARTS))
        moments.append(("/".join(part for part in _PARTS if part in parts), joined))
    elif "hour" in parts and moments and len(moments[-1][1]) == _DAY_CHARS:
        column, day = moments[-1]
        minute = f":{parts['minute']}" if "minute" in parts else ""
        moments[-1] = (
            f"{column}/hour{'/minute' if minute else ''}",
            f"{day}T{parts['hour']}{minute}",
        )
    return moments


def _chars(part: str) -> int:
    return _YEAR_CHARS if part == "year" else _PART_CHARS


def _joined(year: str, *rest: str) -> str:
    text = year
    for separator, part in zip("--T:", rest, strict=True):
        if not part:
            break
        text += separator + part
    return text


def folders_above(root: str) -> list[str]:
    """Return a folder and those above it, the nearest first, with a slash each; last none."""
    ends = [at + 1 for at, character in enumerate(root) if character == "/"]
    return [root[:end] for end in reversed(ends)] + [""]


def signature_of(key: str) -> str:
    """Return a glob of the key's last part with a class for each digit: what equal names share."""
    return _DIGIT.sub("[0-9]", escape_glob(key.rsplit("/", 1)[-1]))


def escape_glob(text: str) -> str:
    """Return a glob that matches just this text."""
    return _GLOB_CHARACTER.sub(r"[\1]", text)
