"""The bytes of JSON that the engine reads as it is written."""

from s3_data_lake_mcp.engines.places import Member
from s3_data_lake_mcp.engines.watched import Watched, without_long_fractions
from s3_data_lake_mcp.storage.pinned import Access
from s3_data_lake_mcp.storage.scope import Readable


def plain_json(member: Member, access: Access, *, watched: bool) -> Readable:
    """Return JSON that the engine reads as it is written.

    Args:
        member: The object.
        access: How the engine goes through it.
        watched: Whether it is looked at for fractions that the engine would round.
    """
    made = member.opened.pinned(access)
    return Watched(made, without_long_fractions(str(member.info.ref))) if watched else made
