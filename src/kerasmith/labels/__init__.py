"""What labels and predictions say: one layout, decisions, counts and overlaps. Pure functions on tensors."""
