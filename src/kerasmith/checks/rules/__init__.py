"""The checks, a package for each kind of component; the same concept has the same file name in each."""
