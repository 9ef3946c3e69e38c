"""From rows to a page: how many fit the result's size, and the cursor behind the last one."""

from s3_data_lake_mcp.pages.records import record_page
from s3_data_lake_mcp.pages.room import clipped_text, kept_within, page_size
from s3_data_lake_mcp.pages.table import table_page

__all__ = ["clipped_text", "kept_within", "page_size", "record_page", "table_page"]
