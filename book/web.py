"""Serves a folder over HTTP, for the examples: python book/web.py FOLDER HOST:PORT."""

import functools
import http.server
import sys


def main() -> None:
    """Serves until it is ended."""
    folder, address = sys.argv[1:]
    host, port = address.split(":")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    with http.server.ThreadingHTTPServer((host, int(port)), handler) as server:
        print(f"ready on http://{address}/", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
