#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# linux_debian.sh LINTEL DEBIAN.YAML MAKER CPU: a Debian boots from its own disk to a login, somebody logs in and writes a file, and presses its
# power button. What it wrote, and that it is whole, is seen in the disk's file. It has the network of this machine: apt-get fetches the list of a
# small repository here, and this machine reaches its sshd by a port. MAKER makes the Debian: where it cannot, for want of a network or of
# what mmdebstrap needs, there is nothing to test.
lintel=$1 yaml=$(realpath "$2") maker=$(realpath "$3") cpu=$4
here=$(dirname "$(realpath "$0")")
# shellcheck source=tests/bochs/common.bash
. "$here/common.bash"
# shellcheck source=tests/bochs/server.bash
. "$here/server.bash"
# What systemd tells while it waits would be taken for a prompt.
export XDG_CACHE_HOME=${XDG_CACHE_HOME:-$HOME/.cache}
export HOME=$work/home
mkdir -p "$HOME/.ssh" repository
ssh-keygen -q -t ed25519 -N '' -f "$HOME/.ssh/id_ed25519"
printf 'Package: lintel-trial\nVersion: 1.0\nArchitecture: all\nMaintainer: nobody\nFilename: trial.deb\nSize: 0\n\n' >repository/Packages
serve <<'END'
import http.server, os, subprocess
class Handler(http.server.SimpleHTTPRequestHandler):
    def __init__(self, *words):
        super().__init__(*words, directory="repository")
    def do_GET(self):
        if self.path != "/ssh":
            return super().do_GET()
        words = ["ssh", "-p", str(forward), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=known", "-i", key, "root@127.0.0.1",
                 "echo by ssh $(uname -n) $((6*8)) | tee /root/called"]
        body = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=300).stdout
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *words):
        pass
key = os.environ["HOME"] + "/.ssh/id_ed25519"
END
sed "s/systemd.show_status=1/systemd.show_status=0/; s/2222:22/$forward:22/" "$yaml" >debian.yaml
export PATH=$PATH:/usr/sbin:/sbin

cache=$XDG_CACHE_HOME/lintel
packages=$(sed -n 's/^ *contents: debian://p' debian.yaml)
mkdir -p "$cache"
if ! sh "$maker" "$cache" "$packages" debian first.img 1048576 1071644672 >made 2>&1; then
    sed 's/^/# /' made | tail -n 20
    echo '1..0 # SKIP no Debian can be made here'
    kill $server
    exit
fi
rm first.img

cat >typed <<END
root
cat /etc/os-release; systemctl is-system-running --wait; echo from \$((6*7)) >/root/words
ip -4 -o address show eth0; cat /etc/resolv.conf
echo deb [trusted=yes] http://10.0.2.2:$port/ ./ >/etc/apt/sources.list; apt-get -q update; grep -h Package: /var/lib/apt/lists/*
busybox wget -q http://10.0.2.2:$port/ssh -O -
echo ready \$((6*9))
END
: >said
timeout 890 "$lintel" run --on bochs --time "$start_time" --timeout 800 --cpu "$cpu" --control sock debian.yaml >said 2>&1 <typed &
run=$!
while kill -0 $run 2>/dev/null && ! grep -qa '^ready 54' said; do
    sleep 1
done
"$lintel" poweroff sock debian 2>pressed
wait $run
result $? 'a Debian boots, and switches itself off when its power button is pressed'
kill $server
says '^lintel: putting debian:.* into the partition lintel-root' 'its root file system is made'
says '^debian login: ' 'it has a login on its console'
says '^ID=debian' 'root needs no password'
says '^running' 'all of its services run'
says ' inet 10\.0\.2\.15/24 ' 'it has an address by DHCP'
says '^nameserver 10\.0\.2\.3$' 'and a server of names'
says '^Package: lintel-trial$' 'apt-get fetches a list of packages'
says '^by ssh debian 48$' 'this machine reaches its sshd by a port, with a key'
says '^lintel: vm debian: who controls the VM presses its power button$' 'it has looked at its power button'
says '^lintel: vm debian: powered off' 'its end is a power-off'
dd if=debian.img of=partition bs=1M skip=1 count=1022 conv=sparse status=none
e2fsck -fn partition >check 2>&1
result $? 'its file system is whole'
[ "$(debugfs -R 'cat /root/words' partition 2>/dev/null)" = 'from 42' ]
result $? 'what it wrote is in the file'
[ "$(debugfs -R 'cat /root/called' partition 2>/dev/null)" = 'by ssh debian 48' ]
result $? 'and what was written by ssh'
plan
