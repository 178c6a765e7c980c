"""From the command line to a profile and its file."""
