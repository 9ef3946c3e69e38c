"""What to read of JSON columns, and what to select to turn that into their types."""

from collections.abc import Mapping

from s3_data_lake_mcp.engines.casts import TEXT
from s3_data_lake_mcp.engines.json_types import RAW, Node, leaves
from s3_data_lake_mcp.engines.sqltext import identifier
from s3_data_lake_mcp.engines.typed_select import TextColumn, list_casts

_MOST_SHARING = 300
_MOST_RAW = 100
_ONE = "lake_one"


def reading_of(
    nodes: Mapping[str, Node], table: int
) -> tuple[dict[str, str], dict[str, TextColumn | str]]:
    """Return the types to read, by column, and what to select of them to get those of the nodes."""
    # Expressions over JSON are long, and the engine binds each anew.
    raw = sum(1 for node in nodes.values() for _ in leaves(node)) <= _MOST_RAW
    types = {name: node.read_type(raw=raw) for name, node in nodes.items()}
    return types, fields_of(nodes, table, raw=raw)


def fields_of(
    nodes: Mapping[str, Node], table: int, *, raw: bool = False
) -> dict[str, TextColumn | str]:
    """Return what to select, by name, to turn columns of `read_type` into their types.

    Many expressions get a lambda each: the engine does not look for what they have in common there.
    """
    count = sum(1 for node in nodes.values() for _ in leaves(node))
    many = count > _MOST_SHARING
    found: dict[str, TextColumn | str] = {}
    for name, node in nodes.items():
        column = identifier(name)
        alone = count > _MOST_RAW and bool(node.children)
        if not (node.children or node.blank or (raw and node.kind in RAW)):
            found[name] = TextColumn(name=name, text=column, kind=node.kind)
        elif many and not node.is_text():
            inner = node.cast(_ONE, table, name, alone=alone)
            found[name] = f"list_transform([{column}], lambda {_ONE}: {inner})[1]"
        else:
            found[name] = node.cast(column, table, name, raw=raw, alone=alone)
    return found


def sample_casts(nodes: Mapping[str, Node]) -> list[str]:
    """Return expressions that raise where a column is a misfit, few for many columns."""
    fields = fields_of(nodes, 0).values()
    scalars = [f for f in fields if isinstance(f, TextColumn) and f.kind != TEXT]
    return [*(f for f in fields if isinstance(f, str)), *list_casts(scalars)]
