"""How an object is kept, in words: archive, restore, encryption."""

import re
from datetime import UTC
from email.utils import parsedate_to_datetime

from s3_data_lake_mcp.storage import ObjectHead, is_archived

_ENCRYPTIONS = {"AES256": "SSE-S3", "aws:kms": "SSE-KMS", "aws:kms:dsse": "DSSE-KMS"}
_SHOWN_KEY_CHARS = 4
_EXPIRY = re.compile(r'expiry-date="([^"]*)"')
_HOURS = {
    "GLACIER": "1 to 5 minutes (Expedited), 3 to 5 hours (Standard) or 5 to 12 hours (Bulk)",
    "DEEP_ARCHIVE": "12 hours (Standard) or 48 hours (Bulk)",
    "ARCHIVE_ACCESS": "3 to 5 hours (Standard)",
    "DEEP_ARCHIVE_ACCESS": "12 hours (Standard)",
}


def _archive_of(head: ObjectHead) -> str:
    """Return the archive that an object is in, restored or not; empty if it is in none."""
    if head.archive_status:
        return head.archive_status
    return head.storage_class if is_archived(head.storage_class) else ""


def is_locked(head: ObjectHead) -> bool:
    """Whether an object must be restored before it can be read."""
    return bool(_archive_of(head)) and not head.is_restored


def restore_status(head: ObjectHead) -> str:
    """Return in words whether an archived object is restored; empty for others."""
    if not _archive_of(head) and not head.restore:
        return ""
    if head.is_being_restored:
        return "restore in progress"
    if not head.is_restored:
        return "not restored"
    found = _EXPIRY.search(head.restore)
    if found is None:
        return "restored"
    try:
        until = parsedate_to_datetime(found[1]).astimezone(UTC).isoformat()
    except ValueError:
        until = found[1]
    return f"restored until {until}"


def restore_notice(head: ObjectHead) -> str:
    """Say how to get an archived object back."""
    name = _archive_of(head)
    if restore_status(head) == "restore in progress":
        return f"Archived ({name}), a restore is in progress; what is told here is from its HEAD."
    takes = _HOURS.get(name, "hours")
    return (
        f"Archived ({name}): it cannot be read before it is restored (aws s3api restore-object, "
        f"which this server cannot do); that takes {takes}. What is told here is from its HEAD."
    )


def encryption_of(head: ObjectHead) -> dict[str, str]:
    """Return the contract's `encryption`; a key id is masked but for its last characters."""
    if head.customer_key_algorithm:
        return {"type": "SSE-C", "kms_key_id": ""}
    kind = _ENCRYPTIONS.get(head.encryption, head.encryption or "none")
    key = head.kms_key_id
    return {"type": kind, "kms_key_id": f"…{key[-_SHOWN_KEY_CHARS:]}" if key else ""}
