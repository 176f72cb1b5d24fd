"""Tests of the layers that are further: options, and operations beside the first ones."""
