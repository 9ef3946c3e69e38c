"""What lies in a prefix and in its columns: inventory, data sets, profiles and metadata.

Every figure says its basis: `exact` (all rows were read), `footer` (Parquet statistics, no data
read) or `sample` (some of the rows were read; its counts are the sample's). Inventory and grouping
work on listings alone and import nothing heavy; all else runs in worker processes only.

Where to find it:

- `summary`: all of a summary; `stock`, `inventory`: the one walk over its keys
- `datasets`, `groups`, `names`, `tokens`, `series`, `crossings`, `location`, `oddities`: keys as
  data sets; `drift`: their schemas
- `subject`, `listed`: what there is to profile
- `profile`: the choice of a basis; `exact`, `aggregates`, `counts`, `frequent`, `tallies`, `plans`,
  `early_sample`: all rows; `footer`: footers; `sample`, `sample_…`, `joining`: some rows
- `columns`, `partitions`, `bins`, `figures`, `telling`: what profiles share
- `metadata`, `heads`, `keeping`, `contents`, `json_head`, `suggestions`: one object
- `fit`, `squeeze`: answers within their size
"""

from collections.abc import Callable
from typing import Literal

from s3_data_lake_mcp.errors import LakeError

type Basis = Literal["exact", "footer", "sample"]
type Json = dict[str, object]
"""One JSON object, its values ready for the wire."""


def tried[T](ask: Callable[[], T]) -> T | LakeError:
    """Return what is asked for, or the error that it raises."""
    try:
        return ask()
    except LakeError as exc:
        return exc
