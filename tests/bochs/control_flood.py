# SPDX-License-Identifier: BSD-2-Clause
"""control_flood.py SERIAL: a hostile control line. Makes a terminal for the emulator's port, whose name it writes to `device`, and
floods it: noise, damaged requests, and whole ones of all kinds about all VMs, of which the machine lets VM 1 be controlled. When the
console's file says that the VM `victim` has ended, it has VM 1 start anew, and go on. At the end it says what came of it."""
import os
import pty
import random
import select
import signal
import struct
import sys
import time
import tty
import zlib

CALLS = 27  # CONTROL_CALL_COUNT (abi/control.h); those but OTHERS are about a VM
OTHERS = (0, 7, 12, 22, 23)
RESET = 4  # comes often enough to be seen also where a busy machine takes few requests

random.seed(2)
answers, others, tag = 0, 0, 0
waiting = b''


def seal(head, rest):
    return head + struct.pack('<I', zlib.crc32(head + bytes(4) + rest)) + rest


def request(call, vm):
    global tag
    tag = (tag + 1) % 256
    return seal(bytes([0xa7, call, vm, tag]), struct.pack('<Q', random.choice([0, 4, 1 << 20, 2 ** 64 - 1])))


def anything():
    kind = random.randrange(4)
    if kind == 0:
        return os.urandom(random.randrange(40))
    call = random.choice([RESET, random.randrange(CALLS + 1), random.randrange(CALLS + 1)])
    frame = request(call, random.choice([0, 1, 1, 1, 2, 7, 8, 255]))
    if kind == 1:
        at = random.randrange(16)
        return frame[:at] + bytes([frame[at] ^ random.randrange(1, 256)]) + frame[at + 1:]
    return frame


def take(data):
    """Counts whole answers; those that say that another VM has been touched are `others`."""
    global waiting, answers, others
    waiting += data
    while len(waiting) >= 16:
        size = 16 + struct.unpack_from('<H', waiting, 8)[0]
        if waiting[0] != 0xa8 or size > 1040:
            waiting = waiting[1:]
            continue
        if len(waiting) < size:
            return
        frame = waiting[:size]
        if seal(frame[:4], frame[8:]) != frame:
            waiting = waiting[1:]
            continue
        waiting = waiting[size:]
        answers += 1
        call, vm, error = frame[1], frame[2], struct.unpack_from('<H', frame, 10)[0]
        others += call not in OTHERS and vm != 1 and error != (2 if call < CALLS else 1)


def tell(*_):
    print(f'answers {answers} others {others}', flush=True)
    os._exit(0)


signal.signal(signal.SIGTERM, tell)
master, slave = pty.openpty()
tty.setraw(slave)
os.set_blocking(master, False)
with open('device.tmp', 'w') as file:
    file.write(os.ttyname(slave))
os.rename('device.tmp', 'device')


def step():
    with open(sys.argv[1], 'rb') as console:
        said = console.read()
    if b'vm victim: powered off' not in said:
        os.write(master, anything())
        return
    time.sleep(0.1)
    calls = [3, 6] if b'vm long: restart' in said else [3, 4, 6]
    os.write(master, bytes(3) + request(random.choice(calls), 1))


while True:
    try:
        readable, writable, _ = select.select([master], [master], [], 1)
        if readable:
            take(os.read(master, 4096))
        if writable:
            step()
    except BlockingIOError:
        pass
    time.sleep(0.001)
