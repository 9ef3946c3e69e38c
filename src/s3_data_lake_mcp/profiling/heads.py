"""The HEAD of an object, or what stands in for it where S3 gives none."""

from concurrent.futures import Future

from s3_data_lake_mcp.errors import AccessDeniedError, LakeError, NotFoundError
from s3_data_lake_mcp.storage import ObjectHead, ObjectRef, ObjectStore, ScanMeter

_CUSTOMER_KEY = "SSE-C"
"""What the refusal says of an object under a customer's key."""


def settled_head(
    store: ObjectStore,
    ref: ObjectRef,
    meter: ScanMeter,
    asked: Future[ObjectHead],
) -> ObjectHead:
    """Return an object's HEAD.

    `asked` is on its way: that of an object under a customer's key needs the key too, and is
    made up from a listing.

    Raises:
        NotFoundError: If there is no such object or version, with a call that tells what there is.
        LakeError: If it is refused otherwise.
    """
    try:
        return asked.result()
    except NotFoundError as exc:
        if not ref.version_id:
            raise
        raise _no_version(ref, exc) from exc
    except AccessDeniedError as exc:
        found = _listed(store, ref, meter) if _CUSTOMER_KEY in str(exc) else None
        if found is None:
            raise
        return found


def _no_version(ref: ObjectRef, exc: NotFoundError) -> NotFoundError:
    hint = exc.hint or "list_s3_objects tells whether there is a current version."
    current = {"bucket_name": ref.bucket, "prefix": ref.key}
    return NotFoundError(str(exc), hint=hint, repair=current, repair_tool="list_s3_objects")


def _listed(store: ObjectStore, ref: ObjectRef, meter: ScanMeter) -> ObjectHead | None:
    """Return what a listing tells of an object under a customer's key."""
    try:
        page = store.list_page(ref.bucket, ref.key, meter, max_keys=1)
    except LakeError:
        return None
    if ref.version_id or not page.objects or page.objects[0].key != ref.key:
        return None
    listed = page.objects[0]
    return ObjectHead(
        info=listed.info(ref.bucket),
        storage_class=listed.storage_class,
        customer_key_algorithm="AES256",
    )
