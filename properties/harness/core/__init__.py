"""What everything stands on: the setting of a check, cases, sizes, and words."""
