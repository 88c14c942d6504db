"""Parts of other libraries: what the checker finds in them is printed in the docs, nothing is asserted."""
