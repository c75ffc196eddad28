"""What HLS says, as values: playlists, plans, choices (RFC 8216 and its revision).

Pure: no requests, files, clocks or processes.
"""
