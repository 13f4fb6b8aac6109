"""Real images inside the package: see README.md in this folder for their source and licence."""
