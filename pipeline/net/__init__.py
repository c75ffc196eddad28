"""The HTTP edge: requests in, bytes and typed errors out.

Knows nothing of storage or of processes.
"""
