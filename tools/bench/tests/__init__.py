"""Tests of the arithmetic, the parsing and the rendering; nothing is started or timed."""
