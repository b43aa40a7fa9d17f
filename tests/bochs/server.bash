# SPDX-License-Identifier: BSD-2-Clause
# A server on the loopback of this machine, for guests that reach it by a card. Sourced behind common.bash.
# shellcheck shell=bash disable=SC2034

# serve: starts it, as the process `server`, with Python's class Handler from the standard input. `port` is its own, and `forward` a free
# one, which may lead to a guest; Handler knows that one, too.
serve()
{
    {
        cat
        cat <<'END'
import http.server, os, socket
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
free = socket.create_server(("127.0.0.1", 0))
forward = free.getsockname()[1]
free.close()
with open("port.new", "w") as file:
    print(server.server_port, forward, file=file)
os.rename("port.new", "port")
server.serve_forever()
END
    } >server.py
    python3 server.py >server.out 2>&1 &
    server=$!
    for _ in $(seq 100); do
        [ -f port ] && break
        sleep 0.1
    done
    read -r port forward <port
}
