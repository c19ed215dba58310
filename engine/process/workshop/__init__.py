"""The process admin's workshop: drafts, their checks, comparisons and rehearsals, approval, and the move of running cases."""
