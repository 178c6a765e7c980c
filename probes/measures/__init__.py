"""What the questions measure, each module for one or two of them."""
