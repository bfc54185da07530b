"""From a fitted model to somebody with a list in front of them (lessons 5 and 7)."""
