#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# world.sh LINTEL CPU: a Linux guest on a network with a card, whose other end is the network of this machine: it gets an address by
# DHCP, and fetches a file from a server on this machine's loopback, and the server gets one from it; all bytes are compared. A port of
# this machine leads to a server in the guest. All of this also with a driver that dies meanwhile and is started again (LINTEL_E1000).
lintel=$1 cpu=$2
here=$(dirname "$(realpath "$0")")
# shellcheck source=tests/bochs/common.bash
. "$here/common.bash"
# shellcheck source=tests/bochs/server.bash
. "$here/server.bash"

serve <<'END'
import hashlib, http.server, urllib.request
BODY = bytes(range(256)) * 4096
class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        if self.path != "/forward":
            return self.answer(BODY)
        data = urllib.request.urlopen("http://127.0.0.1:%d/busybox" % forward, timeout=60).read()
        self.answer(b"fetched " + hashlib.md5(data).hexdigest().encode() + b"\n")
    def do_POST(self):
        data = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(hashlib.md5(data).hexdigest().encode() + b" of %d\n" % len(data))
    def log_message(self, *words):
        pass
END

cat >vm.yaml <<END
host:
  networks:
    - {name: lan, nic: {driver: e1000, forward: [$forward:80]}}
vms:
  - name: one
    kernel: debian:linux-image-cloud-amd64
    initrd: builtin
    cmdline: console=ttyS0 quiet nokaslr mitigations=off tsc=reliable no_timer_check audit=0 cryptomgr.notests random.trust_cpu=on
    memory: 128M
    net: lan
END
# On a busy machine a command is silent for so long that the next one is typed: without echo and prompts, that does not tear what the first one says.
cat >typed <<END
stty -echo; PS1=
ip link set eth0 up
udhcpc -i eth0 -n -q -t 5 -s /bin/true 2>&1 | grep -o 'lease of [0-9.]* obtained'
ip address add 10.0.2.15/24 dev eth0
httpd -h /bin; md5sum </bin/busybox
wget -q http://10.0.2.2:$port/forward -O -
wget -q http://10.0.2.2:$port/ -O file && md5sum <file
cat /bin/busybox file >sent; md5sum <sent
(printf 'POST / HTTP/1.0\r\nContent-Length: %d\r\n\r\n' \$(wc -c <sent); cat sent) | nc 10.0.2.2 $port | tail -n 1
poweroff -f
END
timeout 420 "$lintel" run --on bochs --time $start_time --timeout 400 --cpu "$cpu" vm.yaml >said 2>&1 <typed
code=$?
kill $server
says '^lintel: process lan.nic: 82540EM' 'the driver has a card'
says '^lease of 10\.0\.2\.15 obtained' 'the guest is offered an address by DHCP'
says "^$(python3 -c 'import hashlib; print(hashlib.md5(bytes(range(256)) * 4096).hexdigest())')  -" 'it fetches a file, and has all of its bytes'
sent=$(grep -oE '^[0-9a-f]{32}  -' said | sed -n 3p)
grep -q "^${sent%  -} of [0-9]\{7\}$" said
result $? 'and sends one, all of whose bytes arrive'
fetched=$(grep -oE '^[0-9a-f]{32}  -' said | head -n 1)
grep -qx "fetched ${fetched%  -}" said
result $? 'a port of this machine leads to a server in the guest, whose file has all of its bytes'
if [ -n "${LINTEL_E1000:-}" ]; then
    sed -n '/^lease of/,/Power down/p' said | grep 'lan\.nic: stopped for a fault: .* it is started again$' | sed 's/^/# /' | tee deaths
    [ -s deaths ]
    result $? 'the driver of the card dies while files pass'
fi
[ $code = 0 ]
result $? 'the run ends well'
plan
