"""Wide networks and their kernels: inputs, deep networks, bounds on the kernel and its rounding (Section 5)."""
