"""Bytes at rest: in memory, in segment files, in the output.

Knows nothing of HTTP or of processes.
"""
