"""SGD as a finite Markov chain: walks, two wells, lattices, stationary laws and escape times."""
