"""Components without a fault, unusual designs among them."""
