#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# world.sh LINTEL CPU: a Linux guest on a network with a card, whose other end is the network of this machine: it gets an address by
# DHCP, and fetches a file from a server on this machine's loopback, and the server gets one from it; all bytes are compared.
lintel=$1 cpu=$2
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"

cat >server.py <<'END'
import hashlib, http.server, os
BODY = bytes(range(256)) * 4096
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)
    def do_POST(self):
        data = self.rfile.read(int(self.headers["Content-Length"]))
        answer = hashlib.md5(data).hexdigest().encode() + b" of %d\n" % len(data)
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
    def log_message(self, *words):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
with open("port.new", "w") as file:
    print(server.server_port, file=file)
os.rename("port.new", "port")
server.serve_forever()
END
python3 server.py >server.out 2>&1 &
server=$!
for _ in $(seq 100); do
    [ -f port ] && break
    sleep 0.1
done
port=$(cat port)

cat >vm.yaml <<END
host:
  networks:
    - {name: lan, nic: {driver: e1000}}
vms:
  - name: one
    kernel: debian:linux-image-cloud-amd64
    initrd: builtin
    cmdline: console=ttyS0 quiet nokaslr mitigations=off tsc=reliable no_timer_check audit=0 cryptomgr.notests random.trust_cpu=on
    memory: 128M
    networks: [{on: lan}]
END
cat >typed <<END
ip link set eth0 up
udhcpc -i eth0 -n -q -t 5 -s /bin/true 2>&1 | grep -o 'lease of [0-9.]* obtained'
ip address add 10.0.2.15/24 dev eth0
wget -q http://10.0.2.2:$port/ -O file && md5sum <file
cat /bin/busybox file >sent; md5sum <sent
(printf 'POST / HTTP/1.0\r\nContent-Length: %d\r\n\r\n' \$(wc -c <sent); cat sent) | nc 10.0.2.2 $port | tail -n 1
poweroff -f
END
timeout 200 "$lintel" run --on bochs --time $start_time --timeout 180 --cpu "$cpu" vm.yaml >said 2>&1 <typed
code=$?
kill $server
says '^lintel: process lan.nic: 82540EM' 'the driver has a card'
says '^lease of 10\.0\.2\.15 obtained' 'the guest is offered an address by DHCP'
says "^$(python3 -c 'import hashlib; print(hashlib.md5(bytes(range(256)) * 4096).hexdigest())')  -" 'it fetches a file, and has all of its bytes'
sent=$(grep -oE '^[0-9a-f]{32}  -' said | sed -n 2p)
grep -q "^${sent%  -} of [0-9]\{7\}$" said
result $? 'and sends one, all of whose bytes arrive'
[ $code = 0 ]
result $? 'the run ends well'
plan
