"""The files from which a training goes on, and the state of callbacks in them."""
