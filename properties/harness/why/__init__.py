"""Why a statement fails, and the calls that show it."""
