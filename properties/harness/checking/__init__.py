"""How a statement meets a target: cases, comparison, and what the cases were."""
