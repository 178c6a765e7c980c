"""Statistics: concentration, shares and paired intervals, held-out errors, comparisons at a matched loss."""
