"""Finished functions, landscapes, layers and data that plays and cases use."""
