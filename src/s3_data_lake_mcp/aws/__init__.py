"""The one place that makes AWS clients; nothing is imported or sent before the first use."""

from s3_data_lake_mcp.aws.clients import ClientFactory, Lease

__all__ = ["ClientFactory", "Lease"]
