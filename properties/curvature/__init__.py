"""Curvature of a loss: Lanczos with residual bounds, and the sharpness of small and of trained networks."""
