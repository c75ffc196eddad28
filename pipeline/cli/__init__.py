"""The `hlspipe` command: options, progress, exit codes.

Only the entry point is here, and it imports nothing heavy before a Ctrl-C has a quiet end.
"""
