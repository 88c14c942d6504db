"""Objects and surfaces of binary images. Pure functions, most of them on NumPy arrays."""
