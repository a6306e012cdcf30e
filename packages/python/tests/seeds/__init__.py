"""The first documents' own snippets, run as they are printed."""
