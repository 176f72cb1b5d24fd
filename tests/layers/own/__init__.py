"""Tests of what is known of a target's own layers."""
