"""Irreps of finite groups and decomposition into them."""
