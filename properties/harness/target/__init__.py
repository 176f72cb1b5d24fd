"""Loading a target and calling it: nothing that it does goes unseen."""
