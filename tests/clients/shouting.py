"""A port that answers in capital letters: those of pods are this machine's."""

import socket
import threading


def shouting():
    """Listens for one connection, and says where."""
    there = socket.create_server(("127.0.0.1", 0))

    def shout():
        connection, _ = there.accept()
        connection.sendall(connection.recv(100).upper())
        connection.close()

    threading.Thread(target=shout, daemon=True).start()
    return there.getsockname()[1]
