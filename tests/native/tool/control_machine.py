# SPDX-License-Identifier: BSD-2-Clause
"""control_machine.py HOW PORT|DEVICE: plays a machine at the other end of a control line, as docs/control.md has it, for
control.sh. HOW: "good"; "noisy", with bytes between its answers that are none; "silent"; "version"; "gone-N", which ends after N
answers; "busy", whose clock goes on and whose VMs work; "young", whose VMs have not started (the first has three vCPUs, of which the second never has); "slow", which looks at memory slowly; "damaged", of whose answers the first of all, and the
first to each request to do something, have a wrong sum; "odd-WHAT", which says what cannot be: of its clock, the vCPUs, their memory, the
trace's "cpu" or that it goes on, or "all" that a tool passes by. It writes down what it was asked in `asked`."""
import os
import socket
import struct
import sys
import termios
import time
import tty
import zlib

NAMES = ['a', None, 'b']  # the second may not be controlled
PROCESSES = [b'console', b'an "odd" \\ one']
states = [0, None, 2]
consoles = {0: bytearray(b'a says hello\r\n'), 2: bytearray(b'last words\r\n' * 100)}
typed = 0
records = b''
for text in [b'1 boot information', b'vm a: 16 MiB', b'a long line ' * 15] * 20:
    record = struct.pack('<HBB', len(text), 0, 0 if text.startswith(b'vm a') else 0xff) + text
    records += record + bytes(-len(record) % 4)


def seal(head, rest):
    frame = head + bytes(4) + rest
    return head + struct.pack('<I', zlib.crc32(frame)) + rest


looks = 0


def tsc():
    """A second later at each look at the first VM of a busy machine."""
    return 99 + looks * 10000000


def log_at(at):
    if at % 4 or at > len(records):
        at = len(records)
    end = at
    while end < len(records):
        size = 4 + struct.unpack_from('<H', records, end)[0]
        size += -size % 4
        if end + size - at > 1000:
            break
        end += size
    return struct.pack('<QQ', at, end) + records[at:end]


TRACED = 2000  # records since somebody asked where the trace ends, of which the first quarter is lost


def record(n):
    """A CPUID of VM a in each 8 ticks, one in ten of them of the monitor's, or a turn of the odd process."""
    if n % 10 == 9:
        return struct.pack('<QQIIII', n * 8, n, 0, 1 << 24 | 0xff0300, 0, 0)
    return struct.pack('<QQIIII', n * 8, 0x401000, 0, 0x0a, 0 if n % 10 == 8 else 5, 0)


def odd_record(n):
    """Of somebody that there is, of a VM that may not be controlled, and of a VM and a process that cannot be."""
    who = [0, 1, 0x80, 0xff | 0x80 << 8][n % 4]
    return struct.pack('<QQIIII', n * 8, n, 0, who << 16 | 0x0300, 0, 0)


def records_at(at):
    """As lib/trace_pack.h has them, but never by those before; with "damaged", cut."""
    tail = 0 if at == 2 ** 64 - 1 else TRACED * 32
    at = tail if at > tail else max(at, tail // 4)
    out, next = b'', at
    while next < tail and len(out) < 900:
        bytes_ = (odd_record if how == 'odd-all' else record)(next // 32)
        mask = sum(1 << i for i in range(32) if bytes_[i])
        out += struct.pack('<BI', 0, mask) + bytes(b for b in bytes_ if b)
        next += 32
    if how == 'odd-end' and next > at:
        out, next = b'', at
    return struct.pack('<QQQQ', at, next, tail, 1 << 20 if how == 'odd-cpu' else 3) + (out[:-1] if how == 'damaged' else out)


def answer(call, vm, argument):
    """An error and data."""
    if call == 0:
        return 0, struct.pack('<IIQ', 9 if how == 'version' else 8, 5, 0 if how == 'odd-clock' else 10000)
    if call == 7 and how == 'odd-all':
        return 0, struct.pack('<QQHBB', argument, 20, 5, 0, 0xff) + b'\x1b[2J\x9b' if argument == 0 else struct.pack('<QQ', argument, argument)
    if call == 7:
        return 0, log_at(argument)
    if call == 12:
        return (0, struct.pack('<32sQQ', PROCESSES[vm], tsc(), tsc() // 4)) if vm < len(PROCESSES) else (2, b'')
    if call == 13:
        return 0, struct.pack('<IIIIQ', 0 if argument != 16 else 4, 0, 0, 0, 0)
    if call == 21:
        known = vm < len(PROCESSES) if argument & 2 else vm < len(NAMES) and NAMES[vm] is not None
        return (0, b'') if known else (2, b'')
    if call == 22:
        return (0, records_at(argument)) if vm == 0 else (2, b'')
    if call in (16, 17, 26) and vm == 0:
        return fuzz_memory(call, argument)
    if 13 <= call < 19 or 20 < call < 24 or call > 25:
        return 1, b''
    if vm >= len(NAMES) or NAMES[vm] is None:
        return 2, b''
    global looks
    looks += how == 'busy' and call == 1 and vm == 0
    if call == 1:
        name = b'\x1b]0;b\x07' if how == 'odd-all' and vm == 2 else NAMES[vm].encode()
        count = 200 if how == 'odd-vcpus' else 3 if vm == 0 else 1
        return 0, struct.pack('<32sQIIQ4Q13Q', name, 16 << 20, states[vm], count, tsc(), tsc() // 2, 5, 6, 8, *[0] * 10, 7, 0, looks * 1000)
    if call == 8:
        return (3, b'') if how == 'young' or argument >> 56 == 1 else (0, bytes(384))
    if call == 9:
        return 0, b'a piece' if argument == 0x5000 else b''
    if call == 10:
        time.sleep(0.05 if how == 'slow' else 0)
        return 0, struct.pack('<Q', 0 if how == 'odd-memory' else 0x5000 if argument <= 0x5000 else argument + (1 << 18))
    if call == 19:
        text = consoles[vm]
        at = argument if argument <= len(text) else 0
        return 0, struct.pack('<II', at, typed) + text[at:at + 1016]
    if call == 20:
        return type_for(vm, argument >> 56, argument.to_bytes(8, 'little')[:argument >> 48 & 0xff])
    if call > 20:
        return copy_pieces(call, vm, argument)
    becomes = {2: {0: 1}, 3: {1: 0}, 4: {0: 0, 1: 1}, 5: {0: 3, 1: 3, 3: 3}, 6: {3: 0}, 11: {0: 2, 1: 1}}[call]
    if states[vm] not in becomes:
        return 3, b''
    states[vm] = becomes[states[vm]]
    return 0, b''


FUZZ_PAGE, BUFFER, ROOM = 0xf1000, 0x5000, 64
memory = {}  # what was written since the last restore; it is the first VM's


def fuzz_memory(call, argument):
    """A guest that is fuzzed: its page, and its buffer. An input that begins with f makes a fault, with t takes for ever, with o says
    what cannot be; and of others it says the sum. It is not ready when it is asked first."""
    global unready
    at = argument & (0xffffffff if call == 26 else 2 ** 56 - 1)
    if call != 16:
        for i, byte in enumerate((argument >> 32).to_bytes(4, 'little') if call == 26 else [argument >> 56]):
            memory[at + i] = byte
        return 0, b''
    given = int.from_bytes(bytes(memory.get(FUZZ_PAGE + 4 + i, 0) for i in range(4)), 'little')
    data = bytes(memory.get(BUFFER + i, 0) for i in range(given & 0x7fffffff))
    state, value, why = 1, 0, b''
    if given and states[0] == 0:
        state, value, why = {b'f': (4, 0, b'the guest \x1b[2J'), b't': (2, 0, b''), b'o': (77, 0, b'')}.get(data[:1], (3, sum(data), b''))
    if unready > 0:
        unready, state = unready - 1, 0
    return 0, struct.pack('<IIIII160s', state, given, BUFFER, ROOM, value, why)[:argument >> 56].rstrip(b'\0')


def copy_pieces(call, vm, argument):
    """16 of a small VM, 8 at a time. When it is to be kept first its devices are at work."""
    global kept, at_work
    if how == 'bare':
        return 2, b''
    if states[vm] != 1 or (call == 25 and not kept) or (call == 24 and at_work):
        at_work = at_work and call != 24
        return 3, b''
    next = (argument & 0xffffffff) + 8
    if next > 16:
        next, kept = 0, True
        if call == 25:
            memory.clear()
        states[vm] = 0 if argument >> 32 else 1
    return 0, struct.pack('<Q', next)


def type_for(vm, number, keys):
    """The console echoes it. The first of all finds no room."""
    global typed, refused
    if not refused:
        refused = True
        return 3, b''
    if number != typed:
        typed = number
        consoles[vm] += keys.replace(b'\n', b'\r\n').replace(b'\x1d', b'^]')
    return 0, b''


refused, kept, at_work = False, False, True
unready = 2


def play(read, write):
    waiting = b''
    times = 0
    lost = None  # the call whose answer was
    while True:
        got = read(64)
        if not got:
            return
        waiting += got
        while len(waiting) >= 16:
            frame, waiting = waiting[:16], waiting[16:]
            magic, call, vm, tag, crc, argument = struct.unpack('<BBBBIQ', frame)
            good = magic == 0xa7 and seal(frame[:4], frame[8:]) == frame
            asked.write(f'{call} {vm} {argument}\n' if good else 'damaged\n')
            asked.flush()
            if how == 'silent' or not good:
                continue
            error, data = answer(call, vm, argument)
            out = seal(bytes([0xa8, call, vm, tag]), struct.pack('<HHI', len(data), error, 0) + data)
            times += 1
            if how == 'noisy':
                out = b'\xa8\xa8noise\xa8\x00\x00' + os.urandom(9) + out
            lost = call if how == 'damaged' and call != lost and (times == 1 or call in (2, 3, 4, 5, 6, 11, 20, 24, 25)) else None
            if lost is not None:
                out = out[:-1] + bytes([out[-1] ^ 1])
            write(out)
            if how == f'gone-{times}':
                return


how, where = sys.argv[1:]
asked = open(os.environ['ASKED'], 'a')
if where.startswith('/'):
    file = os.open(where, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(file, termios.TCSANOW)
    play(lambda size: os.read(file, size), lambda data: os.write(file, data))
else:
    console = socket.create_connection(('127.0.0.1', int(where)))
    console.sendall(b'lintel: version 0\r\n')
    line = socket.create_connection(('127.0.0.1', int(where)))
    play(line.recv, line.sendall)
    line.close()
    console.recv(1)
