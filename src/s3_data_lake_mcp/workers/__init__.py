"""Warm, killable worker processes: whatever parses foreign bytes or foreign SQL runs in one.

`WorkerPool.run` carries a job's name and plain arguments into a worker and its plain result out,
with progress in between. A worker that outlives the deadline, outgrows its memory or crashes is
killed and replaced, and the caller gets a named error. Nothing else in the code knows that there
are two kinds of process.
"""
