"""What is right, layer by layer: what each operation takes and gives, its value and bound, and its cases."""
