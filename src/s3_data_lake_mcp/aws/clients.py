"""Makes S3 clients: the standard chain, a session for each role, a client for each region.

Clients are safe for many threads. A session keeps the credentials that it found; `renew` drops it,
so that those which were refreshed outside (an SSO login, a rewritten credentials file) are found
without a restart.
"""

import re
import threading
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, cast

from s3_data_lake_mcp.aws.headers import read_headers_fast
from s3_data_lake_mcp.aws.listings import read_listings_fast
from s3_data_lake_mcp.aws.objects import ObjectClient
from s3_data_lake_mcp.aws.roles import assume
from s3_data_lake_mcp.aws.timestamps import use_fast_timestamps
from s3_data_lake_mcp.errors import StoreUnavailableError
from s3_data_lake_mcp.globs import BucketMap, Kind
from s3_data_lake_mcp.settings import Settings, aws_region

if TYPE_CHECKING:
    from botocore.config import Config
    from botocore.session import Session
    from mypy_boto3_s3 import S3Client

_DEFAULT_REGION = "us-east-1"
_CONNECT_SECONDS = 5.0
_READ_SECONDS = 10.0
_POOL_CONNECTIONS = 96
_ROLES = Kind(
    setting="S3_DATA_LAKE_ROLES",
    value=re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=.@/-]+"),
    form="role-arn",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Era:
    """The session of the standard chain, those of roles, the clients, and when it began."""

    session: "Session"
    began: float
    roles: "dict[str, Session]" = field(default_factory=dict)
    clients: "dict[tuple[str, str], tuple[S3Client, ObjectClient]]" = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A client for one call, what reads objects, and the era whose credentials they sign with."""

    client: "S3Client"
    objects: ObjectClient
    region: str
    era: _Era


class ClientFactory:
    """Makes and keeps S3 clients; safe for many threads.

    Args:
        settings: `timeout_seconds` bounds how long one answer is waited for; `roles` and
            `role_external_id` say whose credentials sign.

    Raises:
        InvalidArgumentError: If the setting `roles` cannot be read.
    """

    def __init__(self, settings: Settings) -> None:
        self.roles = BucketMap(settings.roles, _ROLES)
        self._external_id = settings.role_external_id.get_secret_value()
        self.read_seconds = min(_READ_SECONDS, settings.timeout_seconds / 4)
        self._lock = threading.Lock()
        self._era: _Era | None = None

    def client_for(self, bucket: str, region: str = "") -> Lease:
        """Return the client for a bucket; an empty region is the configured one.

        Raises:
            StoreUnavailableError: If the configured endpoint is no URL.
            BotoCoreError: If the AWS configuration cannot be used.
        """
        role = self.roles.of(bucket)
        with self._lock:
            if self._era is None:
                self._era = self._begin()
            era = self._era
            where = region or configured_region(era.session)
            if (role, where) not in era.clients:
                era.clients[role, where] = self._make(self._session(era, role), where)
            client, objects = era.clients[role, where]
            return Lease(client=client, objects=objects, region=where, era=era)

    def _session(self, era: _Era, role: str) -> "Session":
        """Return the session that signs: the standard chain's, or the role's."""
        if not role:
            return era.session
        if role not in era.roles:
            era.roles[role] = assume(
                era.session,
                role,
                self._external_id,
                region=configured_region(era.session),
                config=self._config(),
            )
        return era.roles[role]

    def renew(self, lease: Lease | None, *, since: float) -> bool:
        """Forget the credentials that a lease was signed with, or those of a client not made.

        Args:
            lease: The client whose credentials were refused.
            since: When the call began, on the monotonic clock.

        Returns:
            Whether trying again can help: they were older than the call.
        """
        with self._lock:
            current = self._era
            if lease is None:
                self._era = None
                return current is not None and current.began < since
            if current is lease.era:
                self._era = None
                return lease.era.began < since
            return True

    @staticmethod
    def _begin() -> _Era:
        from botocore.session import get_session  # noqa: PLC0415 - loading it takes 0.3 s

        return _Era(session=get_session(), began=time.monotonic())

    def _make(self, session: "Session", region: str) -> "tuple[S3Client, ObjectClient]":
        from botocore.config import Config  # noqa: PLC0415 - loaded with the session
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - as above

        try:
            use_fast_timestamps(session)
            # What is asked of S3 has been checked: buckets, keys and versions by the store.
            config = self._config().merge(Config(parameter_validation=False))
            client = session.create_client("s3", region_name=region, config=config)
        except BotoCoreError:
            raise
        except ValueError as exc:
            message = "The configured S3 endpoint is not a URL"
            hint = "AWS_ENDPOINT_URL_S3 (or AWS_ENDPOINT_URL) needs a scheme and a host."
            raise StoreUnavailableError(message, hint=hint) from exc
        client.meta.events.register_last("before-parameter-build.s3", _keep_from_redirecting)
        read_listings_fast(client)
        read_headers_fast(client)
        made = cast("S3Client", client)
        return made, ObjectClient(made, session)

    def _config(self) -> "Config":
        from botocore.config import Config  # noqa: PLC0415 - loaded with the session

        return Config(
            connect_timeout=min(_CONNECT_SECONDS, self.read_seconds),
            read_timeout=self.read_seconds,
            # The store tries again itself: under the call's deadline, and counted.
            retries={"mode": "standard", "total_max_attempts": 1},
            max_pool_connections=_POOL_CONNECTIONS,
            tcp_keepalive=True,
            user_agent_extra=f"s3-data-lake-mcp/{version('s3-data-lake-mcp')}",
            # Ranges carry no checksum; asking for one only costs.
            response_checksum_validation="when_required",
        )


def configured_region(session: "Session") -> str:
    """Return the region of the environment or the profile, or else AWS's first."""
    # botocore reads AWS_DEFAULT_REGION and the profile, but not AWS_REGION.
    return str(aws_region() or session.get_config_variable("region") or _DEFAULT_REGION)


def _keep_from_redirecting(context: dict[str, Any], **_: object) -> None:
    """Mark a request as redirected before, so that botocore doesn't follow it by itself.

    It would send requests that are not counted; the store follows regions.
    """
    context.setdefault("s3_redirect", {})["redirected"] = True
