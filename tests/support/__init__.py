"""What tests stand on: a local HTTP origin, streams, whole-program runs, leak checks."""
