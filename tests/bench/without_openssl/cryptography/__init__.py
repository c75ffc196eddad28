"""In the place of the real one: hlspipe takes its built-in cipher then."""

raise ImportError("hidden for a benchmark")
