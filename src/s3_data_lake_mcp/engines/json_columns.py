"""The columns that JSON objects of several layouts have together."""

from collections.abc import Iterable
from itertools import chain

from s3_data_lake_mcp.engines.json_layout import JsonLayout
from s3_data_lake_mcp.engines.json_shape import Node, leaves, together


def unify(layouts: Iterable[JsonLayout]) -> None:
    """Call columns alike whose names differ only in case, as the first layout does.

    SQL does not tell them apart, but the reader of the engine does: so keys are renamed.
    """
    canonical: dict[str, str] = {}
    for layout in dict.fromkeys(layouts):
        layout.rename({k: canonical.setdefault(n.lower(), n) for k, n in layout.names.items()})


def merged_nodes(layouts: Iterable[JsonLayout]) -> dict[str, Node]:
    """Return the columns of all layouts, with the types that hold what all of them hold."""
    found: dict[str, Node] = {}
    for layout in layouts:
        for name, node in layout.nodes.items():
            mine = found.get(name)
            found[name] = node if mine is None or mine is node else together(mine, node)
    return found


def blank_nodes(layouts: Iterable[JsonLayout], path: str) -> list[Node]:
    """Return what no layout has seen a value of: at a path, or anywhere if it is empty."""
    nodes = merged_nodes(layouts).items()
    if not path:
        return [leaf for _, node in nodes for leaf in leaves(node) if leaf.blank]
    below = [node.blanks(path[len(name) :]) for name, node in nodes if path.startswith(name)]
    return list(chain.from_iterable(below))


def demote(layouts: Iterable[JsonLayout]) -> bool:
    """Read nested columns as text: one holds another structure than its head shows."""
    nested = [node for layout in layouts for node in layout.nodes.values() if node.children]
    for node in nested:
        node.demote()
    return bool(nested)
