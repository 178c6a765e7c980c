"""Training on corrupted labels: clusters of samples, and descent in the space of a kernel (Section 8.3)."""
