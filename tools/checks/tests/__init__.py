"""Each rule is handed a tree that breaks it, and one that does not."""
