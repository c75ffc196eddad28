"""One download from URL to receipt, and what programs call.

Decides what to fetch; the processes do it.
"""
