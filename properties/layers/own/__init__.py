"""Layers that a target declares by itself: what is known of each is that one function is the other's gradient."""
