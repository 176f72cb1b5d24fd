"""Running the statements: processes, progress, and the verdict on each."""
