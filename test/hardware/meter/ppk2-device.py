"""A serial port that speaks as a Power Profiler Kit II does: prints its path, then answers until it is closed.

Range 1, a current that steps with input D0 each 10 ms, 100,000 samples a second, 63 samples left out after the first 100,000.
"""
import os
import pty
import select
import struct
import sys
import time
import tty

master, slave = pty.openpty()
tty.setraw(master)
tty.setraw(slave)
print(os.ttyname(slave), flush=True)

METADATA = "Calibrated: 1\n" + "".join(f"R{i}: {r}\nO{i}: 0\nGI{i}: 1\n" for i, r in enumerate((1031.64, 100, 10.15, 0.94, 0.043))) + "END\n"
LIMIT = int(sys.argv[1])

running = False
seen = []
sent = 0
started = 0.0


def sample(index):
    high = (index // 1000) % 2
    counter = (index + (63 if index >= 100_000 else 0)) % 64
    return struct.pack("<I", (4000 if high else 2000) | 1 << 14 | counter << 18 | high << 24)


while True:
    readable, _, _ = select.select([master], [], [], 0.005)
    if readable:
        try:
            given = os.read(master, 64)
        except OSError:
            break
        for byte in given:
            seen.append(byte)
            if byte == 0x19:
                os.write(master, METADATA.encode())
            if byte == 0x06:
                running, started = True, time.monotonic()
            if byte == 0x07:
                running = False
                print("commands", " ".join(f"{each:02x}" for each in seen), "sent", sent, flush=True)
                sys.exit(0)
    if running:
        due = min(LIMIT, int((time.monotonic() - started) * 100_000))
        piece = b"".join(sample(index) for index in range(sent, due))
        sent = due
        while piece:
            piece = piece[os.write(master, piece[:4096]):]
