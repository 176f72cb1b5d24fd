"""The report as data, and the forms in which it is told."""
