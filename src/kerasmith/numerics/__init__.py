"""Pure functions on tensors: labels, overlaps, safe mathematics. Nothing here holds state or configuration."""
