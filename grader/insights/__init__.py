"""Show an instructor how a class did: a page, and points for other systems."""
