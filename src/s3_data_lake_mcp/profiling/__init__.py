"""What lies in a prefix and in its columns: inventory, data sets, profiles and metadata.

Every figure says its basis: `exact` (all rows were read), `footer` (Parquet statistics, no data
read) or `sample` (some of the rows were read; its counts are the sample's). Inventory and grouping
work on listings alone and import nothing heavy; all else runs in worker processes only.
"""

from typing import Literal

type Basis = Literal["exact", "footer", "sample"]
type Json = dict[str, object]
"""One JSON object, its values ready for the wire."""
