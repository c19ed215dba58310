"""People: units, accounts, posts, sign-in, and the one place that decides who may see and do what."""
