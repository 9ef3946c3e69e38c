"""The rehearsal of a deployment, on a machine without Docker and without AWS."""
