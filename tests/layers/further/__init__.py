"""Tests of the further layers."""
