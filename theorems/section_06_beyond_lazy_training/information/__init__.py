"""Information and PAC-Bayes: measures, bounds, and learning problems that can be enumerated."""
