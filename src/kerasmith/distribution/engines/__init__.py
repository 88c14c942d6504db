"""One file for each engine that trains on several processes; imported when `setup` has found which one it is."""
