"""What worker processes do: one function a job, plain values in, a whole answer out.

This package and what it imports is loaded in worker processes only.
"""
