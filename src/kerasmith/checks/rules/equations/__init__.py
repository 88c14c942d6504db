"""What is asked of an equation: a function of a field that returns what has to be 0 at each point."""
