"""What is right of the operations' options, and of further operations, one file a layer."""
