"""After the bytes: subtitles, and other containers for the same streams.

No processes, no command line.
"""
