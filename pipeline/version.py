"""The version: of the package, and of what it calls itself towards servers."""

__version__ = "0.1.0"
