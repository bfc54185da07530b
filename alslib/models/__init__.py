"""Four models of one idea: an objective, and blocks that lower it (lessons 3, 4, 6 and 8)."""
