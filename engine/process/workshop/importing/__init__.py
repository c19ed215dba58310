"""Diagrams drawn elsewhere: a tolerant pass that lists every rewriting that it made and everything that is still to be filled in."""
