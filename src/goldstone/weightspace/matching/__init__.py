"""Networks moved along their symmetries towards one another, and the paths between them."""
