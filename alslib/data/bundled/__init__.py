"""A small MovieLens release that ships with the package; README.md beside this file says whence."""
