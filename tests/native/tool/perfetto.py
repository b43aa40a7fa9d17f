# SPDX-License-Identifier: BSD-2-Clause
"""perfetto.py FILE: whether a trace is what Perfetto takes. protoc reads it by perfetto.proto; then each event is on a track that was
described before it, slices nest, none ends before it begins, and none is left open. Prints `PATH: NAME COUNT` for each name of slices
or moments on a track, whose path has its groups; or what is wrong, with exit code 1."""
import collections
import os
import re
import subprocess
import sys

ONE = ('timestamp', 'trusted_packet_sequence_id', 'uuid', 'parent_uuid', 'track_uuid', 'type', 'sequence_flags')


def bad(words):
    print('bad:', words)
    sys.exit(1)


def read(path):
    """The packets, as dictionaries."""
    here = os.path.dirname(os.path.realpath(__file__))
    with open(path, 'rb') as file:
        text = subprocess.run(['protoc', '--decode=Trace', '-I' + here, here + '/perfetto.proto'], stdin=file, capture_output=True, text=True)
    if text.returncode != 0:
        bad('protoc: ' + text.stderr)
    packets, stack = [], []
    for line in text.stdout.splitlines():
        line = line.strip()
        begin, value = re.fullmatch(r'([a-z_]+) \{', line), re.fullmatch(r'([a-z_]+): "?(.*?)"?', line)
        if begin:
            inner = {}
            if stack:
                stack[-1].setdefault(begin[1], []).append(inner)
            else:
                packets.append(inner)
            stack.append(inner)
        elif line == '}':
            stack.pop()
        elif value and not (value[1] in ONE and value[1] in stack[-1]):
            stack[-1][value[1]] = value[2]
        else:
            bad('an unknown field, or one twice: ' + line)
    return packets


packets = read(sys.argv[1])
tracks, events, counts = {}, [], collections.Counter()
for packet in packets:
    if packet['trusted_packet_sequence_id'] != '1':
        bad('another sequence')
    for track in packet.get('track_descriptor', []):
        if track['uuid'] in tracks or ('parent_uuid' in track and track['parent_uuid'] not in tracks):
            bad(f'track {track}')
        parent = tracks[track['parent_uuid']] + '/' if 'parent_uuid' in track else ''
        tracks[track['uuid']] = parent + track['name']
    for event in packet.get('track_event', []):
        if event['track_uuid'] not in tracks:
            bad(f'an event of no track: {event}')
        events.append((int(packet['timestamp']), event))
if packets[0].get('sequence_flags') != '1' or any('sequence_flags' in packet for packet in packets[1:]):
    bad('the first packet, and no other, begins the sequence')
# Perfetto sorts by time, and leaves those of one time as they are.
open_slices = collections.defaultdict(list)
for time, event in sorted(events, key=lambda event: event[0]):
    path, kind = tracks[event['track_uuid']], event['type']
    if kind == 'TYPE_SLICE_END':
        if not open_slices[path]:
            bad(f'{path}: what ends at {time} has not begun')
        open_slices[path].pop()
        continue
    if not event.get('name'):
        bad(f'{path}: no name at {time}')
    counts[f"{path}: {event['name']}"] += 1
    if kind == 'TYPE_SLICE_BEGIN':
        open_slices[path].append(event)
if any(open_slices.values()):
    bad('slices without an end')
for name, count in sorted(counts.items()):
    print(name, count)
