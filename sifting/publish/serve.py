"""Serves the site on this machine."""

import contextlib
import functools
import http.server
import pathlib


def serve(site: pathlib.Path, port: int) -> None:
    """Serve that folder at 127.0.0.1 until interrupted.

    Raises ValueError for a port that cannot be had, and FileNotFoundError where there is no site.
    """
    if not 0 < port < 65536:
        raise ValueError(f"port must be 1 to 65535, not {port}")
    if not (site / "index.html").exists():
        raise FileNotFoundError(f"{site} is not there yet; make builds it")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=site)
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        raise ValueError(
            f"port {port} cannot be had ({error.strerror}); another, as: make serve port=8001"
        ) from None
    print(f"http://127.0.0.1:{port}, until Ctrl-C", flush=True)
    with server, contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()
