#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""peer.py SOCKET NIC MONITOR: the other end of a wire, for nic.c: frames are datagrams from and to QEMU's socket NIC. Its own frames
(type 88b5) go back to where they came from, or ask for something: the link down and up, by QEMU's monitor, or what has come of a
flow, a TCP or UDP source port. Of each packet all lengths and checksums are looked at."""

import socket
import struct
import sys
import time

GOOD, NOTHING, MORE, WRONG = 1, 2, 3, 4
FIRST_SEQUENCE, FIRST_ID = 0xFFFFFF00, 0xFFF0

flows = {}  # by port: [pieces of payload] or None for one that is wrong


def summed(data):
    """The Internet checksum's sum (RFC 1071): ffff if it is right."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def fault(frame, ip):
    """What is wrong with a packet, and its port, or the piece of payload that it brings, with its TCP sequence number and flags."""
    if frame[ip] >> 4 == 4:
        length = struct.unpack_from(">H", frame, ip + 2)[0]
        number = struct.unpack_from(">H", frame, ip + 4)[0]
        transport, protocol, pseudo = ip + 20, frame[ip + 9], frame[ip + 12 : ip + 20]
        if summed(frame[ip:transport]) != 0xFFFF:
            return "the checksum of the IP header", None
    else:
        length = struct.unpack_from(">H", frame, ip + 4)[0] + 40
        transport, protocol, pseudo, number = ip + 40, frame[ip + 6], frame[ip + 8 : ip + 40], None
    end = ip + length
    if end > len(frame) or (end < len(frame) and len(frame) > 60):
        return f"the length {length} of {len(frame) - ip} bytes", None
    segment = frame[transport:end]
    if summed(pseudo + struct.pack(">II", len(segment), protocol) + segment) != 0xFFFF:
        return "the checksum of the transport header", None
    port = struct.unpack_from(">H", segment)[0]
    if protocol == 17:
        if struct.unpack_from(">H", segment, 4)[0] != len(segment):
            return "the UDP length", None
        return None, (port, number, None, None, segment[8:])
    sequence = struct.unpack_from(">I", segment, 4)[0]
    return None, (port, number, sequence, segment[13], segment[(segment[12] >> 4) * 4 :])


def take(frame, ip):
    """A packet of a flow."""
    why, piece = fault(frame, ip)
    if why:
        print("# wrong:", why, frame[:80].hex())
        flows[struct.unpack_from(">H", frame, ip + (20 if frame[ip] >> 4 == 4 else 40))[0]] = None
        return
    port = piece[0]
    if flows.setdefault(port, []) is not None:
        flows[port].append(piece)


def judge(port, size, most):
    """What has come of a flow that should be so many bytes, in as few pieces as can be, whose last one alone has FIN and PSH."""
    pieces = flows.pop(port, [])
    if pieces is None:
        return WRONG
    if not pieces:
        return GOOD if size == 0 and most == 0 else NOTHING
    data = b"".join(piece[4] for piece in pieces)
    if data != bytes((i * 7 + (i >> 8)) & 255 for i in range(size)):
        return MORE
    if len(pieces) != max(1, -(-size // most) if most else 1):
        return MORE
    done = 0
    for i, (_, number, sequence, flags, payload) in enumerate(pieces):
        last = i == len(pieces) - 1
        if number not in (None, (FIRST_ID + i) & 0xFFFF):
            return WRONG
        if sequence is not None and (sequence != (FIRST_SEQUENCE + done) & 0xFFFFFFFF or flags != (0x19 if last else 0x10)):
            return WRONG
        done += len(payload)
    return GOOD


def monitor(path, *commands):
    """Commands for QEMU's monitor."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.connect(path)
        line.recv(4096)
        for command in commands:
            line.sendall(command.encode() + b"\n")
            time.sleep(0.5)
            line.recv(4096)


def main():
    own, nic, control = sys.argv[1:4]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
        wire.bind(own)
        while True:
            frame = wire.recv(65536)
            swapped = frame[6:12] + frame[:6] + frame[12:]
            kind = struct.unpack_from(">H", frame, 12)[0]
            at = 14
            if kind == 0x8100:
                kind = struct.unpack_from(">H", frame, 16)[0]
                at = 18
            if kind in (0x0800, 0x86DD):
                take(frame, at)
            elif kind == 0x88B5 and frame[14:15] == b"L":
                monitor(control, "set_link nic off", "set_link nic on")
            elif kind == 0x88B5 and frame[14:15] == b"V":
                port, size, most = struct.unpack_from(">HII", frame, 15)
                answer = judge(port, size, most)
                wire.sendto(swapped[:15] + struct.pack(">HB", port, answer) + bytes(42), nic)
            elif kind == 0x88B5:
                wire.sendto(swapped, nic)


main()
