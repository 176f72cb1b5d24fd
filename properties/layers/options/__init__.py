"""What is right of the operations that take options, as a bias, a stride or a padding, one file a layer."""
