"""The survey of buckets: what is looked up, and what does not answer in time is unknown."""

import threading

from s3_data_lake_mcp.catalog.buckets import BucketSearch, survey_buckets
from s3_data_lake_mcp.storage import BucketProbe, ListedBucket, ScanMeter
from s3_data_lake_mcp.storage.s3_names import check_bucket
from support.memory import MemoryStore


class _Stuck(MemoryStore):
    """A store where some buckets never answer."""

    over = threading.Event()

    def probe_bucket(self, bucket: str, meter: ScanMeter, *, access: bool = True) -> BucketProbe:
        if bucket.startswith("stuck"):
            self.over.wait(10)
        return super().probe_bucket(bucket, meter, access=access)


def test_what_is_not_looked_at_in_time_is_unknown() -> None:
    """Also where more buckets are stuck than are looked at side by side."""
    store = _Stuck()
    names = ["ready", *(f"stuck-{number:02d}" for number in range(20))]
    for name in names:
        store.create_bucket(name)
    found = survey_buckets(store, (), ScanMeter(timeout_seconds=2), BucketSearch())
    store.over.set()
    assert [bucket.name for bucket in found.buckets] == names
    assert [bucket.access for bucket in found.buckets] == ["readable"] + ["unknown"] * 20
    assert found.notices == ["20 of 21 buckets did not answer in time: their access is unknown."]


class _Listing(MemoryStore):
    """A store that lists the region of one bucket, and tells that of others when asked."""

    def list_buckets(self, meter: ScanMeter) -> tuple[ListedBucket, ...]:
        del meter
        return ListedBucket(name="near", region="eu-west-1"), ListedBucket(name="far")

    def probe_bucket(self, bucket: str, meter: ScanMeter, *, access: bool = True) -> BucketProbe:
        del bucket
        meter.count_request()
        return BucketProbe(region="us-east-2", access="readable" if access else "unknown")


def test_without_access_only_the_regions_that_are_missing_are_asked_for() -> None:
    """A listing tells some of them for nothing."""
    meter = ScanMeter()
    found = survey_buckets(_Listing(), (), meter, BucketSearch(check_access=False))
    told = [(bucket.name, bucket.region, bucket.access) for bucket in found.buckets]
    assert told == [("far", "us-east-2", "unknown"), ("near", "eu-west-1", "unknown")]
    assert meter.requests == 1


class _Old(MemoryStore):
    """A store that, like S3's, asks nothing about a bucket whose name is none."""

    def probe_bucket(self, bucket: str, meter: ScanMeter, *, access: bool = True) -> BucketProbe:
        check_bucket(bucket)
        return super().probe_bucket(bucket, meter, access=access)


def test_a_bucket_with_a_name_of_old_does_not_hide_the_others() -> None:
    """Before 2018, names in us-east-1 could have upper-case letters and underscores."""
    store = _Old()
    for name in ("lake", "Old_Exports", "x"):
        store.create_bucket(name)
    found = survey_buckets(store, (), ScanMeter(), BucketSearch())
    told = [(bucket.name, bucket.access) for bucket in found.buckets]
    assert told == [("Old_Exports", "unknown"), ("lake", "readable"), ("x", "unknown")]
