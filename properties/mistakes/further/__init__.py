"""What goes wrong in operations with options, and in further operations, one file a layer."""
