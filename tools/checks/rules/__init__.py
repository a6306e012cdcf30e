"""The rules: one file per family, each with `check(tree)`, whose docstring is its title in the table."""

from rules import (
    clocks,
    corpus,
    directions,
    host_words,
    house,
    names,
    settings,
    sizes,
    snippets,
    thin,
    typed,
    vocabulary,
)

ALL = (directions, sizes, names, host_words, clocks, vocabulary, settings, corpus, house, thin, snippets, typed)
