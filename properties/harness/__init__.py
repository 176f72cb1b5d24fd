"""How a statement meets a target: contract, strategies, oracles, bounds, comparison, pytest plugin, reports."""
