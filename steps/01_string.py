"""Step 1: a string for everyone.

New: a listening socket, and a loop that answers one client after the other.
In Apache: what is left of the prefork MPM with one child (`httpd -X`) when HTTP is taken away.

Wrong, and left so: the request is read but never looked at; what goes back is not an HTTP response, only its body;
`listen(5)` lets six finished connections wait; one slow client stops everybody; one client that resets its connection
ends the server.
"""

import socket
import sys

PORT = int(sys.argv[1]) if len(sys.argv) > 1 else 8000

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", PORT))
listener.listen(5)

while True:
    client, address = listener.accept()
    request = client.recv(1024)
    client.send(b"<h1>My WebServer</h1>\n")
    client.close()
