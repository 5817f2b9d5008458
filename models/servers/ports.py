"""A port for a server, held from the first moment, so that a busy one is known before a model is loaded."""

from __future__ import annotations

import errno
import ipaddress
import socket
from typing import Final

from ...errors import UserError

_FURTHER: Final = 50


def claim(host: str, port: int, *, next_free: bool = False) -> socket.socket:
    """A socket that listens on `port` of `host` (0: any free one); with `next_free` the first free one from there on.

    Raises:
        UserError: the port is taken or may not be used, or `host` is no address of this machine.
    """
    last = min(port + _FURTHER, 65535) if next_free and port else port
    for candidate in range(port, last + 1):
        try:
            return _listening(host, candidate)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and candidate < last:
                continue
            raise _said(error, host, port, last) from None
    raise AssertionError("the range holds at least one port")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _listening(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    made = socket.socket(family, kind, protocol)
    try:
        # A port that a server left a moment ago may be taken again; one where a server listens may not.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(128)
    except BaseException:
        made.close()
        raise
    return made


def _said(error: OSError, host: str, port: int, last: int) -> UserError:
    if error.errno == errno.EADDRINUSE:
        where = f"port `{port}` of {host} is" if port == last else f"ports `{port}` to `{last}` of {host} are all"
        return UserError(f"{where} in use: name another with `--port`, or take the next free one with `--next-port`")
    if error.errno == errno.EACCES:
        return UserError(f"port `{port}` needs more rights than you have: name one from 1024 on with `--port`")
    if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        return UserError(f"`{host}` is no address of this machine: name one of its own, such as `127.0.0.1`")
    return UserError(f"port `{port}` of {host} cannot be used ({error.strerror}): name another with `--port`")
