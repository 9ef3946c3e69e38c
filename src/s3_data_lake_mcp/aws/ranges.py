"""Ranged reads of an object that was read before, sent without the SDK's own work.

For each request the SDK works out anew where it goes, how it is written and how it is signed. For
the ranges of one object all that is the same but two headers, which need no signature: S3 asks for
those of the host and of `x-amz-*`. So the SDK sends the first one; what it sent is kept, signed
without these two once a minute, and the next ones go over its connections. What fails is parsed and
raised as the SDK does.
"""

import contextlib
import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from s3_data_lake_mcp.aws.headers import Headers

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials
    from botocore.model import Shape
    from botocore.session import Session
    from mypy_boto3_s3 import S3Client
    from urllib3 import BaseHTTPResponse, HTTPConnectionPool

_SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request, "
    r"SignedHeaders=[^,]+, Signature=[0-9a-f]{64}"
)
_CHANGING = {"range", "if-match"}
_OWN = {"authorization", "x-amz-date", "x-amz-security-token", "amz-sdk-invocation-id"}
_MOST_KEPT = 1_000
_REDIRECT = 300
_SIGNED_SECONDS = 60
"""How long a signature serves; S3 takes it for 15 minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What the SDK sent for an object, without what changes from range to range.

    `scope` is the region and the service that it signed for.
    """

    url: str
    headers: Mapping[str, str]
    scope: tuple[str, str]

    @classmethod
    def of(cls, url: str, headers: Mapping[str, str | bytes], access_key: str) -> "Sent | None":
        """Return it; None if it was not signed in its headers alone, or by other credentials."""
        plain = {
            name.lower(): value.decode("latin-1") if isinstance(value, bytes) else value
            for name, value in headers.items()
        }
        found = _SIGNED.fullmatch(plain.get("authorization", ""))
        if found is None or found[1] != access_key or urlsplit(url).query:
            return None
        kept = {name: v for name, v in plain.items() if name not in _CHANGING | _OWN}
        return cls(url=url, headers=kept, scope=(found[2], found[3]))


def sign(sent: Sent, credentials: "ReadOnlyCredentials") -> dict[str, str]:
    """Return the headers of further requests, signed by the SDK's own signer."""
    from botocore.auth import S3SigV4Auth  # noqa: PLC0415 - the SDK
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415 - as above

    request = AWSRequest(method="GET", url=sent.url, headers=dict(sent.headers))
    region, service = sent.scope
    S3SigV4Auth(credentials, service, region).add_auth(request)
    return dict(request.headers.items())


class _Known:
    """An object that was read before: how it is asked for, and over whose connections."""

    def __init__(self, sent: Sent, pool: "HTTPConnectionPool") -> None:
        self.sent = sent
        self.pool = pool
        self._signed: tuple[dict[str, str], ReadOnlyCredentials, float] | None = None

    def headers(self, credentials: "ReadOnlyCredentials") -> dict[str, str]:
        """Return the headers of a request, signed by these credentials a short while ago."""
        # S3 compares with the time of day, which goes on while a computer sleeps.
        now = time.time()
        signed = self._signed
        if signed is None or signed[1] != credentials or abs(now - signed[2]) > _SIGNED_SECONDS:
            self._signed = signed = sign(self.sent, credentials), credentials, now
        return signed[0]


class RangeClient:
    """Reads ranges over a client's connections; safe for many threads.

    Args:
        client: Sends what was not sent before.
        session: The client's; its credentials sign.
    """

    def __init__(self, client: "S3Client", session: "Session") -> None:
        self._client = client
        self._session = session
        self._local = threading.local()
        self._known: dict[tuple[tuple[str, object], ...], _Known] = {}
        client.meta.events.register_last("before-send.s3.GetObject", self._note)

    def get_object(self, **parameters: Any) -> Mapping[str, Any]:  # noqa: ANN401 - of the SDK
        """Return what the client's method of this name returns, of the headers what ranges need.

        Raises:
            ClientError: If S3 refuses.
            BotoCoreError: If it cannot be asked.
        """
        rest = {k: v for k, v in parameters.items() if k not in ("Range", "IfMatch")}
        name = tuple(sorted(rest.items()))
        known = self._known.get(name) if len(rest) + 2 == len(parameters) else None
        if known is not None:
            changing = {"range": parameters["Range"], "if-match": parameters["IfMatch"]}
            return self._send(known, changing)
        self._local.request = None
        answer = self._client.get_object(**parameters)
        self._keep(name)
        return cast("Mapping[str, Any]", answer)

    def _note(self, request: Any, **_: object) -> None:  # noqa: ANN401 - the SDK has no types
        self._local.request = request

    def _keep(self, name: tuple[tuple[str, object], ...]) -> None:
        request = self._local.request
        if request is None or request.method != "GET":
            return
        sent = Sent.of(request.url, request.headers, str(self._credentials().access_key))
        pool = self._pool(request.url)
        if sent is None or pool is None:
            return
        if len(self._known) >= _MOST_KEPT:
            self._known.clear()
        self._known[name] = _Known(sent, pool)

    def _pool(self, url: str) -> "HTTPConnectionPool | None":
        """Return the SDK's own connections to a host; None where a proxy is between."""
        try:
            http = cast("Any", self._client)._endpoint.http_session  # noqa: SLF001 - its TLS settings hold
            if http._proxy_config.proxy_url_for(url):  # noqa: SLF001 - as above
                return None
            manager = http._get_connection_manager(url)  # noqa: SLF001 - as above
            pool = manager.connection_from_url(url)
            # The SDK says before it sends whom to trust: connections without that are not its own.
            trusts = pool.scheme == "http" or pool.cert_reqs is not None
            return cast("HTTPConnectionPool", pool) if trusts else None
        except AttributeError:
            # Another version of the SDK keeps them elsewhere, and sends all requests itself.
            return None

    def _send(self, known: _Known, changing: Mapping[str, str]) -> Mapping[str, Any]:
        url = known.sent.url
        headers = {**known.headers(self._credentials()), **changing}
        with _translating(url):
            answer = known.pool.urlopen(
                "GET",
                urlsplit(url).path,
                headers=headers,
                retries=False,
                redirect=False,
                assert_same_host=False,
                preload_content=False,
                decode_content=False,
                enforce_content_length=False,
            )
        told = Headers(answer.headers)
        if answer.status >= _REDIRECT:
            raise self._refusal(url, answer, told)
        length = told.get("content-length", "")
        return {
            "Body": answer,
            "ETag": told.get("etag"),
            "ContentRange": told.get("content-range"),
            "ContentLength": int(length) if length else None,
            "ResponseMetadata": {"HTTPStatusCode": answer.status, "HTTPHeaders": told},
        }

    def _credentials(self) -> "ReadOnlyCredentials":
        from botocore.exceptions import NoCredentialsError  # noqa: PLC0415 - the SDK

        found = self._session.get_credentials()
        if found is None:
            raise NoCredentialsError
        return found.get_frozen_credentials()

    def _refusal(self, url: str, answer: "BaseHTTPResponse", told: Headers) -> Exception:
        """Return the SDK's exception for an answer that is an error."""
        from botocore.parsers import create_parser  # noqa: PLC0415 - the SDK

        with _translating(url):
            body = b"".join(answer.stream())
        answered = {"headers": told, "status_code": answer.status, "body": body}
        model = self._client.meta.service_model.operation_model("GetObject")
        shape = cast("Shape", model.output_shape)
        parsed = create_parser("rest-xml").parse({**answered, "context": {}}, shape)
        kind = cast("Any", self._client.exceptions).from_code(parsed.get("Error", {}).get("Code"))
        return cast("Exception", kind(parsed, "GetObject"))


@contextlib.contextmanager
def _translating(url: str) -> Iterator[None]:
    """Raise what the SDK raises where a connection fails."""
    from botocore import exceptions as sdk  # noqa: PLC0415 - the SDK
    from urllib3 import exceptions as http  # noqa: PLC0415 - as above

    try:
        yield
    except http.SSLError as exc:
        raise sdk.SSLError(endpoint_url=url, error=exc) from exc
    except http.NewConnectionError as exc:
        raise sdk.EndpointConnectionError(endpoint_url=url, error=exc) from exc
    except http.ConnectTimeoutError as exc:
        raise sdk.ConnectTimeoutError(endpoint_url=url, error=exc) from exc
    except http.ReadTimeoutError as exc:
        raise sdk.ReadTimeoutError(endpoint_url=url, error=exc) from exc
    except http.ProtocolError as exc:
        raise sdk.ConnectionClosedError(endpoint_url=url, error=exc) from exc
    except (http.HTTPError, OSError) as exc:
        raise sdk.HTTPClientError(error=exc) from exc
