"""What layers are made of: how an operation is declared, and windows."""
