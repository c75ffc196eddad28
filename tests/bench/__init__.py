"""Benchmarks: hlspipe beside its peers, on streams made and served here (`scripts/bench`)."""
