"""Properties of hand-written backpropagation: statements, each a pytest + Hypothesis test of a target."""
