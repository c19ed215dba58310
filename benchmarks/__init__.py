"""How fast it is, always beside the raw floors, in one run, as ratios: `make bench`. Nothing is asserted about time."""
