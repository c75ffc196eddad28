"""`python -m pipeline`: the same program as the `hlspipe` command."""

from pipeline.cli import main

if __name__ == "__main__":
    main()
