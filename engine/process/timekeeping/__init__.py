"""The keepers of the calendar: bringing a notice in, showing what it would move, publishing it, and counting open deadlines again."""
