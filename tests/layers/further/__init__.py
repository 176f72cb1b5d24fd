"""Tests of options and further operations."""
