"""What there is: buckets with their regions, and keys that pass a filter."""
