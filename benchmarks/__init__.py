"""Measurements, each `python -m benchmarks.NAME`; none is asserted in a test."""
