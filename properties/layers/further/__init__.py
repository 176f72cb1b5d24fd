"""What is right of further operations: averages, activations with a kink, softmax and losses, one file a layer."""
