"""Tests of networks that a target declares."""
