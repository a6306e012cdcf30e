"""`python -m spikard`: there is no command of ours, and it says what to write instead."""

import sys

sys.exit("spikard has no command: end your program with app.run(), and start it with `python main.py`")
