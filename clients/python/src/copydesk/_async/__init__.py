"""The client; for asyncio in `_async`, without it in `_sync`, which is generated."""
