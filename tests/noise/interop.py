#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""interop.py SECURE-PEER: our secure channel and dissononce's Noise, in both roles.

The frames are made and taken apart here by what PROTOCOL.md, section 9, says, and by nothing else.
"""

import os
import signal
import struct
import subprocess
import sys

from dissononce.cipher.chachapoly import ChaChaPolyCipher
from dissononce.dh.x25519.x25519 import X25519DH
from dissononce.exceptions.decrypt import DecryptFailedException
from dissononce.hash.sha256 import SHA256Hash
from dissononce.processing.handshakepatterns.interactive.IK import IKHandshakePattern
from dissononce.processing.impl.cipherstate import CipherState
from dissononce.processing.impl.handshakestate import HandshakeState
from dissononce.processing.impl.symmetricstate import SymmetricState

PROLOGUE = b"ccid-relay" + b"\x01" + b"guest"
INITIATE = bytes.fromhex("01200000 0000000000000000")
RESPOND = bytes.fromhex("01210000 0000000000000000")
DATA = bytes.fromhex("01220000")
LARGEST = 70 * 1024 - 36
SIZES = [0, 1, 15, 16, 17, 300, 4096, 65000, LARGEST - 1]


class Peer:
    """The program of ours, and frames to and from it."""

    def __init__(self, program, role, private, public):
        self.process = subprocess.Popen(
            [program, role], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.send(private)
        self.send(public)

    def send(self, frame):
        self.process.stdin.write(struct.pack("<I", len(frame)) + frame)
        self.process.stdin.flush()

    def receive(self):
        size, = struct.unpack("<I", self.process.stdout.read(4))
        return self.process.stdout.read(size)

    def end(self):
        self.process.stdin.close()
        assert self.process.stdout.read() == b"", "it said more than it was asked"
        assert self.process.wait() == 0


def handshake_state():
    return HandshakeState(
        SymmetricState(CipherState(ChaChaPolyCipher()), SHA256Hash()), X25519DH())


class Channel:
    """The transport phase, with the counter in the clear."""

    def __init__(self, number, send, receive):
        self.number = number
        self.send = send
        self.receive = receive
        self.received = -1

    def seal(self, counter, text):
        header = DATA + struct.pack("<QQ", self.number, counter)
        self.send.set_nonce(counter)
        return header + self.send.encrypt_with_ad(header, text)

    def open(self, frame):
        header = frame[:20]
        assert header[:4] == DATA, header
        number, counter = struct.unpack("<QQ", header[4:])
        assert number == self.number
        assert counter == self.received + 1, (counter, self.received)
        self.received = counter
        self.receive.set_nonce(counter)
        return self.receive.decrypt_with_ad(header, frame[20:])


def talk(peer, channel):
    """Texts of all sizes, with gaps in the counters; what is repeated or changed is not answered."""
    counter = channel.first
    for size in SIZES:
        text = os.urandom(size)
        frame = channel.seal(counter, text)
        peer.send(frame)
        # An empty frame is for the channel, and a guest has nothing to say to it.
        if size > 0 or channel.bridge:
            assert channel.open(peer.receive()) == b"!" + text, size
        peer.send(frame)
        peer.send(channel.seal(counter - 1 if counter > 0 else counter, text))
        peer.send(channel.seal(counter + 1, text)[:-1] + b"\x00")
        counter += 1 + size * 1000


def as_guest(program):
    """We, dissononce, are the guest; the bridge is ours."""
    guest, bridge = X25519DH().generate_keypair(), X25519DH().generate_keypair()
    peer = Peer(program, "bridge", bridge.private.data, guest.public.data)
    state = handshake_state()
    state.initialize(IKHandshakePattern(), True, PROLOGUE, s=guest, rs=bridge.public)
    message, payload = bytearray(), bytearray()
    state.write_message(b"", message)
    peer.send(INITIATE + message)
    answer = peer.receive()
    assert answer[:12] == RESPOND and len(answer) == 68
    ciphers = state.read_message(answer[12:], payload)
    channel = Channel(struct.unpack("<Q", payload)[0], ciphers[0], ciphers[1])
    channel.first, channel.bridge = 0, True
    talk(peer, channel)
    peer.end()


def as_bridge(program):
    """We, dissononce, are the bridge; the guest is ours."""
    guest, bridge = X25519DH().generate_keypair(), X25519DH().generate_keypair()
    peer = Peer(program, "guest", guest.private.data, bridge.public.data)
    frame = peer.receive()
    assert frame[:12] == INITIATE and len(frame) == 108
    state = handshake_state()
    state.initialize(IKHandshakePattern(), False, PROLOGUE, s=bridge)
    message, payload = bytearray(), bytearray()
    state.read_message(frame[12:], payload)
    assert payload == b"" and state.rs.data == guest.public.data
    number = 0x1122334455667788
    ciphers = state.write_message(struct.pack("<Q", number), message)
    peer.send(RESPOND + message)
    channel = Channel(number, ciphers[1], ciphers[0])
    channel.first, channel.bridge = 7, False
    assert channel.open(peer.receive()) == b"hello"
    talk(peer, channel)
    peer.end()


def strangers(program):
    """Another guest's key, another bridge's, another prologue: no answer, and no frame."""
    guest, bridge, other = (X25519DH().generate_keypair() for _ in range(3))
    peer = Peer(program, "bridge", bridge.private.data, guest.public.data)
    for own, remote, prologue in [
            (other, bridge, PROLOGUE), (guest, other, PROLOGUE), (guest, bridge, b"other")]:
        state = handshake_state()
        state.initialize(IKHandshakePattern(), True, prologue, s=own, rs=remote.public)
        message = bytearray()
        state.write_message(b"", message)
        peer.send(INITIATE + message)
    peer.end()


def main():
    signal.alarm(60)  # a frame that isn't answered is waited for
    for part in (as_guest, as_bridge, strangers):
        try:
            part(sys.argv[1])
        except DecryptFailedException:
            sys.exit(part.__name__ + ": what ours has encrypted can't be decrypted")
        print(part.__name__ + ": ok")


main()
