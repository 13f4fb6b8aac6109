"""The command line behind `python -m featlab`."""
