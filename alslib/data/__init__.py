"""From files to ratings that know their users and movies: where every lesson begins."""
