"""Many runs in one report: rounds, and the parts of several machines."""
