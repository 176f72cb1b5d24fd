"""Mistakes in max pooling with a stride and a padding, and in its gradient."""

MISTAKES = ()
