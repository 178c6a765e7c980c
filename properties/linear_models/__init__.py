"""Linear models: limits of descent, margins, divergences and sparsity."""
