"""Reads for one page: a case, a task, a deadline. Every one checks the actor's sight of the case in one place (`seeing`)."""
