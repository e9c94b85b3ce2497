"""What follows a run: each output gets its result, and none can fail it."""
