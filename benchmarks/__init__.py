"""Benchmarks: what the parts cost beside the built-in ones and other libraries. See README.md."""
