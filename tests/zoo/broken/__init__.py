"""Components with one fault each, as users write them."""
