"""GroupLens's files: three formats on disk, one shape in memory, and a copy that loads fast."""
