"""What readers bring: arrays, numbers, options and names, looked at where they enter."""
