"""What changed between two versions, to the attribute and in the words of their readers."""
