"""Tasks and measurements of feature learning: parities, random labels, movement, rates per layer (Section 6.1)."""
