"""Parts of other libraries: what the bench finds in them is printed in the docs, nothing is asserted."""
