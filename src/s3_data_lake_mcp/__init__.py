"""S3 Data Lake MCP: eight read-only tools over the files of an S3 data lake."""
