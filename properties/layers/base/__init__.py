"""What layers are made of: how an operation is declared, the smooth activations, and windows."""
