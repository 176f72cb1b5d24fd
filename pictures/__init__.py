"""Pictures of reports for the README, and what makes them: `python -m pictures`."""
