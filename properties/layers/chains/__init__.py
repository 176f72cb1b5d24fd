"""Networks that a target declares: their stages, the chain rule through them, cases, and what is legal at kinks."""
