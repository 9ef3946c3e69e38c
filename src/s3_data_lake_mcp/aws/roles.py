"""Sessions that assume a role; their credentials are refreshed before they expire."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from botocore.config import Config
    from botocore.credentials import DeferredRefreshableCredentials
    from botocore.session import Session

_SESSION_NAME = "s3-data-lake-mcp"

READING = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Action": [
                "s3:GetBucketVersioning",
                "s3:GetObject",
                "s3:GetObjectTagging",
                "s3:GetObjectVersion",
                "s3:GetObjectVersionTagging",
                "s3:ListAllMyBuckets",
                "s3:ListBucket",
                "kms:Decrypt",
            ],
            "Resource": "*",
        },
    },
    separators=(",", ":"),
)
"""What a session may do at most, whatever its role allows: what the store sends, and no more."""


@dataclass(frozen=True, slots=True)
class _Provider:
    """The end of a session's chain of credentials: the role's, got when first needed."""

    fetch: Callable[[], dict[str, Any]]

    def load_credentials(self) -> "DeferredRefreshableCredentials":
        from botocore.credentials import DeferredRefreshableCredentials  # noqa: PLC0415 - the SDK

        return DeferredRefreshableCredentials(refresh_using=self.fetch, method="assume-role")


def assume(
    base: "Session", role: str, external_id: str, *, region: str, config: "Config"
) -> "Session":
    """Return a session of a role; it is assumed by the first request.

    Args:
        base: Whose credentials assume it.
        role: ARN of the role.
        external_id: What the role's trust policy asks for; empty: nothing.
        region: Region whose STS is asked.
        config: Time-outs of the requests to STS.

    Raises:
        NoCredentialsError: If the base session has none.
    """
    from botocore.credentials import AssumeRoleCredentialFetcher  # noqa: PLC0415 - the SDK
    from botocore.exceptions import NoCredentialsError  # noqa: PLC0415 - as above
    from botocore.session import get_session  # noqa: PLC0415 - as above

    source = base.get_credentials()
    if source is None:
        raise NoCredentialsError

    def make_client(service: str, **keys: Any) -> "BaseClient":  # noqa: ANN401 - the SDK's own
        return base.create_client(service, region_name=region, config=config, **keys)

    external = {"ExternalId": external_id} if external_id else {}
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=make_client,
        source_credentials=source,
        role_arn=role,
        extra_args={"RoleSessionName": _SESSION_NAME, "Policy": READING, **external},
    )
    session = get_session()
    session.register_component("credential_provider", _Provider(fetcher.fetch_credentials))
    # The models of the services, loaded once.
    session.register_component("data_loader", base.get_component("data_loader"))
    return session
