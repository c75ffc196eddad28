"""The daemon: a queue of downloads that survives anything, and the doors through which it is fed.

Knows HTTP as a server, SQLite and systemd; not click, and not how a download is done (`engine`).
"""
