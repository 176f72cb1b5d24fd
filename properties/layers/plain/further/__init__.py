"""The right code of operations with options, and of further operations, in the ways in which people write it."""
