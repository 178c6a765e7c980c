"""SGD near a minimum: noisy quadratics, stationary covariances, and the diffusion that approximates SGD."""
