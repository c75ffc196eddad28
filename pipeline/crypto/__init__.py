"""Bytes to bytes: decryption of segments.

Pure: no requests, no files.
"""
