"""The pipeline itself: supervisor, downloaders, storage, and what travels between them.

One owner for each piece of state; messages are the only thing that is shared.
"""
