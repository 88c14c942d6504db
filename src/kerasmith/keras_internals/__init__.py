"""What Keras and its backends keep private and kerasmith needs all the same: the only place that touches it."""
