"""Deep linear networks as products: balancedness, conditioning, interpolation and matrix sensing (Section 4)."""
