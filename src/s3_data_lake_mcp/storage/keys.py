"""Keys, prefixes and globs as texts: taking URIs apart, matching keys."""

import re
from functools import lru_cache
from urllib.parse import unquote

from s3_data_lake_mcp.errors import InvalidArgumentError

SCHEMES = ("s3", "s3a", "s3n")
"""The schemes of S3's URIs, which mean the same."""

PARTITION = re.compile(r"([^=/]+)=([^/]*)")
"""A folder that names a column and its value, as Hive writes them; the value is encoded."""

NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
"""What Hive writes for a missing value in the name of a folder."""

ICEBERG = "n Iceberg"
"""The kind of a table that `table_of` tells by its metadata."""

_TABLE_LOGS = {"/_delta_log/": " Delta Lake", "/.hoodie/": " Hudi"}
_TABLE_METADATA = (".metadata.json", ".metadata.json.gz")
_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_ADDRESS = re.compile(
    r"https?://(?:([a-z0-9.-]+)\.)?s3(?:[.-][a-z0-9-]+){0,2}\.amazonaws\.com(?:\.cn)?/([^?#]*).*",
    re.DOTALL | re.IGNORECASE,
)
_GLOB_CHARACTER = re.compile(r"[*?\[]")
CLASS = re.compile(r"\[([!^]?+)(\][^\]]*|[^\]]+)\]")
"""A class of characters in a glob, as a shell writes it."""


def split_uri(text: str) -> tuple[str, str] | None:
    """Return bucket and key of an S3 URI, the key taken literally; None if `text` is no URI.

    Raises:
        InvalidArgumentError: If its scheme is another than `s3`, `s3a` or `s3n`, or it names no
            bucket.
    """
    found = _URI.fullmatch(text)
    if found is None:
        return None
    scheme, rest = found[1].lower(), found[2]
    if scheme not in SCHEMES:
        message = f"{scheme}:// is not a scheme that this server reads"
        at = place_of(text)
        repair = {"bucket_name": at[0], "object_key": at[1]} if at else None
        raise InvalidArgumentError(message, hint="Use s3://bucket/key.", repair=repair)
    bucket, _, key = rest.partition("/")
    if not bucket:
        raise InvalidArgumentError(f"{text} names no bucket", hint="Use s3://bucket/key.")
    return bucket, key


def place_of(address: str) -> tuple[str, str] | None:
    """Return the bucket and key that a web address of S3 names, in its path or its host."""
    if (found := _ADDRESS.fullmatch(address)) is None:
        return None
    path = unquote(found[2])
    bucket, _, key = (found[1].lower(), "", path) if found[1] else path.partition("/")
    return (bucket, key) if bucket else None


def is_glob(key: str) -> bool:
    """Whether a key holds `*`, `?` or `[`; an object with exactly that key still wins."""
    return bool(_GLOB_CHARACTER.search(key))


def is_private(part: str) -> bool:
    """Whether engines pass over what a part of a key names: `_SUCCESS`, `.staging` and the like.

    Partitions may begin with `_`, and a key is no path, in which `.` and `..` would be folders.
    """
    if part.startswith("."):
        return part not in {".", ".."}
    return part.startswith("_") and "=" not in part


def table_of(key: str) -> tuple[str, str] | None:
    """Return the folder and the kind of the table whose log or metadata a key is part of."""
    for log, kind in _TABLE_LOGS.items():
        root, found, _ = f"/{key}".partition(log)
        if found:
            return f"{root}/"[1:], kind
    root, found, name = f"/{key}".rpartition("/metadata/")
    if found and "/" not in name and name.endswith(_TABLE_METADATA):
        return f"{root}/"[1:], ICEBERG
    return None


def glob_prefix(glob: str) -> str:
    """Return what every match begins with: the text before the first `*`, `?` or `[`."""
    found = _GLOB_CHARACTER.search(glob)
    return glob[: found.start()] if found else glob


@lru_cache(maxsize=256)
def glob_regex(glob: str) -> re.Pattern[str]:
    r"""Return the pattern that a whole key must match.

    `*` and `?` stay between slashes, `**` crosses them, `**/` also stands for no folder at all;
    `[a-z]`, `[!a-z]` and `[^a-z]` are classes as in a shell. A `[` that no `]` closes is itself.
    """
    # Runs of text between `*`, in groups between `**`.
    groups: list[tuple[str, list[str]]] = [("", [""])]
    at = 0
    while at < len(glob):
        runs = groups[-1][1]
        if glob.startswith("**/", at) and (at == 0 or glob[at - 1] == "/"):
            groups.append(("(?:.*?/)??", [""]))
            at += 3
        elif glob.startswith("**", at):
            groups.append((".*?", [""]))
            at += 2
        elif glob[at] == "*":
            runs.append("")
            at += 1
        elif glob[at] == "?":
            runs[-1] += "[^/]"
            at += 1
        elif found := CLASS.match(glob, at):
            runs[-1] += _class(found)
            at = found.end()
        else:
            runs[-1] += re.escape(glob[at])
            at += 1
    try:
        return re.compile(_pattern(groups), re.DOTALL)
    except re.error as exc:
        message = f"{glob} is not a glob: {exc}"
        raise InvalidArgumentError(message, hint="Check the ranges in its [ ] classes.") from exc


def _pattern(groups: list[tuple[str, list[str]]]) -> str:
    """Return what matches groups of runs, all but the last run where they come first.

    Any other place leaves the rest less to choose from, so that none of them is tried: the tries of
    many `*` would multiply.
    """
    *inner, (wide, (*head, tail)) = groups
    begin = "".join(f"(?>{wide}{_first(runs)})" for wide, runs in inner)
    return begin + wide + (f"{_first(head)}[^/]*" if head else "") + tail


def _first(runs: list[str]) -> str:
    return runs[0] + "".join(f"(?>[^/]*?{run})" for run in runs[1:])


def _class(found: re.Match[str]) -> str:
    members = found[2].replace("\\", "\\\\").replace("]", "\\]").replace("[", "\\[")
    members = members.replace("^", "\\^").replace("&&", "&\\&").replace("||", "|\\|")
    members = members.replace("~~", "~\\~").replace("--", "-\\-")
    return f"(?!/)[{'^' if found[1] else ''}{members}]"
