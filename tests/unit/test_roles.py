"""Roles per bucket: who signs what, how a role is assumed, refreshed and refused."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest

from s3_data_lake_mcp.aws import ClientFactory
from s3_data_lake_mcp.errors import AccessDeniedError, InvalidArgumentError, NoCredentialsError
from s3_data_lake_mcp.lake import Lake
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ObjectRef, ScanMeter
from s3_data_lake_mcp.storage.s3 import S3Store
from support.fault_proxy import FaultProxy
from support.stores import open_store

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

OTHER_ACCOUNT = "2345" * 3
ROLE = f"arn:aws:iam::{OTHER_ACCOUNT}:role/partner/lake-reader"
KEY = "orders.csv"
BODY = b"a,b\n1,2\n"
ANSWER = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
<AssumedRoleUser><AssumedRoleId>x:y</AssumedRoleId><Arn>x</Arn></AssumedRoleUser><Credentials>
<AccessKeyId>{key}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>
<SessionToken>token</SessionToken><Expiration>{expiration}</Expiration>
</Credentials></AssumeRoleResult></AssumeRoleResponse>"""


@pytest.fixture
def sts(
    fault_proxy: FaultProxy, moto_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FaultProxy]:
    """Return a proxy before STS."""
    del fault_proxy
    with FaultProxy(moto_endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", proxy.endpoint)
        yield proxy


def put(s3: "S3Client", bucket: str) -> ObjectRef:
    """Store the object in a bucket."""
    s3.put_object(Bucket=bucket, Key=KEY, Body=BODY)
    return ObjectRef(bucket=bucket, key=KEY)


@pytest.fixture
def partner(s3: "S3Client", make_bucket: Callable[..., str]) -> ObjectRef:
    """Return an object in the bucket that a role reads."""
    return put(s3, make_bucket())


@pytest.fixture
def own(s3: "S3Client", make_bucket: Callable[..., str]) -> ObjectRef:
    """Return an object in a bucket of one's own."""
    return put(s3, make_bucket())


def store_for(ref: ObjectRef, **settings: object) -> S3Store:
    """Return a store that assumes the role for one bucket."""
    return open_store(Settings(roles=f"{ref.bucket}={ROLE}", **settings))  # type: ignore[arg-type] # settings of any type


def read(store: S3Store, ref: ObjectRef) -> bytes:
    """Read the object."""
    return store.get_head(ref, 100, ScanMeter(timeout_seconds=10))[1]


def asked(sts: FaultProxy) -> dict[str, str]:
    """Return the parameters of the last request to STS."""
    return {name: values[0] for name, values in parse_qs(sts.seen[-1].body.decode()).items()}


def grant(sts: FaultProxy, key: str, lifetime: timedelta, **details: object) -> None:
    """Let STS answer with credentials that live so long."""
    expiration = (datetime.now(UTC) + lifetime).strftime("%Y-%m-%dT%H:%M:%SZ")
    sts.inject("answer", status=200, page=ANSWER.format(key=key, expiration=expiration), **details)


def test_the_roles_bucket_is_signed_by_the_role_and_others_are_not(
    partner: ObjectRef, own: ObjectRef, sts: FaultProxy, fault_proxy: FaultProxy
) -> None:
    """Credentials go where the setting sends them, and the role is assumed once."""
    store = store_for(partner)
    for _ in range(3):
        assert read(store, partner) == BODY
        assert read(store, own) == BODY
    keys = {(seen.path.split("/")[1], seen.access_key) for seen in fault_proxy.seen}
    [(_, temporary)] = [pair for pair in keys if pair[0] == partner.bucket]
    assert temporary.startswith("ASIA")
    assert (own.bucket, "testing") in keys
    assert len(keys) == 2
    assert len(sts.seen) == 1


def test_without_a_role_sts_is_not_asked(own: ObjectRef, sts: FaultProxy) -> None:
    """Roles cost nothing where there are none."""
    assert read(open_store(Settings()), own) == BODY
    assert sts.seen == []


def test_how_a_role_is_assumed(partner: ObjectRef, sts: FaultProxy) -> None:
    """With a session name of the product, the external id, and rights to read alone."""
    read(store_for(partner, role_external_id="agreed-upon"), partner)
    sent = asked(sts)
    assert sent["Action"] == "AssumeRole"
    assert sent["RoleArn"] == ROLE
    assert sent["RoleSessionName"] == "s3-data-lake-mcp"
    assert sent["ExternalId"] == "agreed-upon"
    assert '"s3:GetObject"' in sent["Policy"]
    assert not any(word in sent["Policy"] for word in ("Put", "Delete", "s3:*", "Write"))
    assert sts.seen[-1].access_key == "testing"


def test_no_external_id_is_sent_if_none_is_set(partner: ObjectRef, sts: FaultProxy) -> None:
    """An empty one would be refused."""
    read(store_for(partner), partner)
    assert "ExternalId" not in asked(sts)


def test_credentials_are_refreshed_before_they_expire(
    partner: ObjectRef, sts: FaultProxy, fault_proxy: FaultProxy
) -> None:
    """Five minutes before the end new ones are got; those of an hour are kept."""
    grant(sts, "ASIASHORT", timedelta(minutes=5), times=1)
    grant(sts, "ASIALONG", timedelta(hours=1))
    store = store_for(partner)
    for _ in range(4):
        assert read(store, partner) == BODY
    assert [seen.access_key for seen in fault_proxy.seen] == ["ASIASHORT", *["ASIALONG"] * 3]
    assert len(sts.seen) == 2


def test_expired_credentials_of_a_role_are_renewed(
    partner: ObjectRef, sts: FaultProxy, fault_proxy: FaultProxy
) -> None:
    """Where S3 calls them expired before their time, the role is assumed again."""
    grant(sts, "ASIAREVOKED", timedelta(hours=1), times=1)
    store = store_for(partner)
    assert read(store, partner) == BODY
    fault_proxy.inject("answer", access_key="ASIAREVOKED", status=400, code="ExpiredToken")
    assert read(store, partner) == BODY
    assert len(sts.seen) == 2


def test_many_threads_assume_a_role_once(partner: ObjectRef, sts: FaultProxy) -> None:
    """Calls that come at once wait for one answer of STS."""
    store = store_for(partner)
    bodies: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: bodies.append(read(store, partner))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bodies == [BODY] * 8
    assert len(sts.seen) == 1


def test_clients_are_kept_per_role_and_region(aws_env: None) -> None:
    """Buckets of one role share its session and client."""
    del aws_env
    factory = ClientFactory(Settings(roles=f"a*={ROLE},b={ROLE}-2"))
    clients = {name: factory.client_for(name).client for name in ("a1", "a2", "b", "c")}
    assert clients["a1"] is clients["a2"]
    assert len({id(client) for client in clients.values()}) == 3
    away = factory.client_for("a1", "eu-central-1").client
    assert away is not clients["a1"]
    assert away.meta.region_name == "eu-central-1"


def test_a_role_that_is_denied_is_told(partner: ObjectRef, sts: FaultProxy) -> None:
    """What must change, without account id or ARN."""
    page = (
        "<ErrorResponse><Error><Code>AccessDenied</Code><Message>User: arn:aws:iam::"
        f"{OTHER_ACCOUNT}:user/x is not authorized to perform: sts:AssumeRole on resource: {ROLE}"
        "</Message></Error></ErrorResponse>"
    )
    sts.inject("answer", status=403, page=page)
    with pytest.raises(AccessDeniedError) as caught:
        read(store_for(partner), partner)
    told = f"{caught.value} {caught.value.hint}"
    assert "the configured role is denied" in told
    assert all(word in told for word in ("trust policy", "sts:AssumeRole", "ROLE_EXTERNAL_ID"))
    assert OTHER_ACCOUNT not in told
    assert "arn:" not in told


def test_without_credentials_no_role_can_be_assumed(
    partner: ObjectRef, sts: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the same error as without a role; they are found when they come."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    store = store_for(partner)
    with pytest.raises(NoCredentialsError):
        read(store, partner)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    assert read(store, partner) == BODY
    assert len(sts.seen) == 1


def test_workers_assume_roles_too(
    partner: ObjectRef, own: ObjectRef, sts: FaultProxy, fault_proxy: FaultProxy
) -> None:
    """What is parsed in a worker process is signed like what the server lists."""
    lake = Lake.connect(Settings(roles=f"{partner.bucket}={ROLE}", workers=1))
    try:
        assert list(lake.frame(f"s3://{partner.bucket}/{KEY}")["b"]) == [2]
        assert list(lake.frame(f"s3://{own.bucket}/{KEY}")["b"]) == [2]
    finally:
        lake.close()
    keys = {seen.path.split("/")[1]: seen.access_key for seen in fault_proxy.seen}
    assert keys[partner.bucket].startswith("ASIA")
    assert keys[own.bucket] == "testing"
    assert sts.seen


def test_buckets_that_a_role_names_are_listed(partner: ObjectRef, aws_env: None) -> None:
    """The account does not list another's bucket; the allow-list still holds."""
    del aws_env
    roles = f"of-another={ROLE},glob-*={ROLE}"
    named = {bucket.name for bucket in open_store(Settings(roles=roles)).list_buckets(ScanMeter())}
    assert "of-another" in named
    assert "glob-*" not in named
    narrowed = open_store(Settings(roles=roles, allowed=partner.bucket))
    assert [bucket.name for bucket in narrowed.list_buckets(ScanMeter())] == [partner.bucket]


@pytest.mark.parametrize(
    "roles", ["lake", "lake=reader", f"lake={ROLE},x", f"Lake={ROLE}", "a=arn:aws:iam::1:role/x"]
)
def test_roles_that_cannot_be_read_stop_the_server(roles: str) -> None:
    """Otherwise a bucket would be read with other credentials than meant."""
    with pytest.raises(InvalidArgumentError, match="S3_DATA_LAKE_ROLES"):
        ClientFactory(Settings(roles=roles))


def test_expected_owner_goes_with_each_request_to_its_buckets(
    partner: ObjectRef, own: ObjectRef, fault_proxy: FaultProxy
) -> None:
    """So that a bucket that was taken over by a stranger is refused by S3."""
    owners = f"{partner.bucket}={OTHER_ACCOUNT}"
    store = open_store(Settings(expected_bucket_owner=owners))
    meter = ScanMeter(timeout_seconds=10)
    for ref in (partner, own):
        read(store, ref)
        store.head(ref, meter)
        store.list_page(ref.bucket, "", meter)
        store.get_tags(ref, meter)
        store.is_versioned(ref.bucket, meter)
        store.probe_bucket(ref.bucket, meter)
    sent = [
        (seen.path.split("/")[1], seen.headers.get("x-amz-expected-bucket-owner"))
        for seen in fault_proxy.seen
    ]
    assert len(sent) >= 12
    assert set(sent) == {(partner.bucket, OTHER_ACCOUNT), (own.bucket, None)}


@pytest.mark.parametrize("pays", [True, False])
def test_the_requester_pays_for_all_requests_or_none(
    own: ObjectRef,
    fault_proxy: FaultProxy,
    pays: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Each that S3 charges for says so, if the setting does; otherwise none can cost anything."""
    store = open_store(Settings(requester_pays=pays))
    meter = ScanMeter(timeout_seconds=10)
    info, _ = store.get_head(own, 1, meter)
    store.get_range(info, 1, 3, meter)
    store.get_tail(own, 3, meter)
    store.head(own, meter)
    store.list_page(own.bucket, "", meter)
    store.get_tags(own, meter)
    sent = {seen.headers.get("x-amz-request-payer") for seen in fault_proxy.seen}
    assert len(fault_proxy.seen) >= 6
    assert sent == {"requester" if pays else None}


def test_a_bucket_of_another_owner_is_told(own: ObjectRef, fault_proxy: FaultProxy) -> None:
    """S3 says no more than "Access Denied"; the hint names the setting."""
    fault_proxy.inject("answer", status=403, code="AccessDenied", text="Access Denied")
    with pytest.raises(AccessDeniedError) as caught:
        read(open_store(Settings(expected_bucket_owner=OTHER_ACCOUNT)), own)
    assert "S3_DATA_LAKE_EXPECTED_BUCKET_OWNER" in caught.value.hint


@pytest.mark.parametrize("owners", ["me", "lake=12", f"lake={OTHER_ACCOUNT},x"])
def test_owners_that_cannot_be_read_stop_the_server(owners: str) -> None:
    """A check that is mistyped must not be left out."""
    with pytest.raises(InvalidArgumentError, match="S3_DATA_LAKE_EXPECTED_BUCKET_OWNER"):
        open_store(Settings(expected_bucket_owner=owners))
