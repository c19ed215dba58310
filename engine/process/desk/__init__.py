"""The officer's desk: what people do with a task beyond completing it, and what helps them to decide."""
