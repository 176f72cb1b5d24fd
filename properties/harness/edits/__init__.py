"""Every small edit of the right code of an operation, whichever that is."""
