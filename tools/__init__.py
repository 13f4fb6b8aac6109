"""What keeps the course together: solutions, links and first cells, static pages, the animated picture.

Not part of the package.
"""
