"""What the package promises, row by row, and the proofs that no other test gives."""
