"""One self-contained HTML page with the people in 3D; it works without network and without server."""
