"""Files and directories: whole or absent, and proved writable."""
