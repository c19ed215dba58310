"""How notices reach people outside the page: by which channel, at once or gathered, and never with a restricted case's content."""
