# Generated from _async/__init__.py by generate.py: change that one.
"""The client; for asyncio in `_sync`, without it in `_sync`, which is generated."""
