"""Names and values as SQL text: the only place that quotes."""

from collections.abc import Iterable, Mapping


def identifier(name: str) -> str:
    """Return a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def names(columns: Iterable[str]) -> str:
    """Return names as a list of identifiers."""
    return ", ".join(map(identifier, columns))


def struct(fields: Mapping[str, str]) -> str:
    """Return names with the types or values they have, as table functions take them."""
    return "{" + ", ".join(f"{literal(n)}: {literal(v)}" for n, v in fields.items()) + "}"


def call(function: str, source: str, options: Mapping[str, str]) -> str:
    """Return a call of a table function over a path, its options already SQL."""
    listed = "".join(f", {name}={value}" for name, value in options.items())
    return f"{function}({literal(source)}{listed})"
