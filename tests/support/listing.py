"""The plain way to list, for comparison."""

from collections.abc import Iterator

from s3_data_lake_mcp.storage import ListedObject, ObjectStore, ScanMeter


def walk(
    store: ObjectStore, bucket: str, prefix: str, meter: ScanMeter, *, start_after: str = ""
) -> Iterator[ListedObject]:
    """Yield the objects below a prefix in key order, page by page as they are taken."""
    token = ""
    while True:
        page = store.list_page(bucket, prefix, meter, start_after=start_after, token=token)
        yield from page.objects
        token = page.next_token
        if not token:
            return
