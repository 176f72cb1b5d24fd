"""What must hold of the operations' options, and of further operations: statements and nothing else."""
