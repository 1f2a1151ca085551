"""Sends what no client should, over plain pyzmq, then asks for kernel_info. Prints one JSON line."""

import hashlib
import hmac
import json
import os
import sys
import uuid

import zmq

with open(sys.argv[1]) as file:
    info = json.load(file)
context = zmq.Context()
shell = context.socket(zmq.DEALER)
shell.linger = 0
shell.connect("tcp://%s:%d" % (info["ip"], info["shell_port"]))
DELIMITER = b"<IDS|MSG>"


def parts(msg_type, content=b"{}", msg_id=None):
    header = {"msg_id": msg_id or uuid.uuid4().hex, "msg_type": msg_type, "session": "s", "username": "u", "date": "", "version": "5.3"}
    return [json.dumps(header).encode(), b"{}", b"{}", content]


def sign(frames, key=info["key"].encode()):
    digest = hmac.new(key, digestmod=hashlib.sha256)
    for frame in frames:
        digest.update(frame)
    return digest.hexdigest().encode()


def send(frames, signature=None):
    shell.send_multipart([DELIMITER, sign(frames) if signature is None else signature] + frames)


ping = parts("kernel_info_request")
send(ping, signature=b"0" * 64)
send(ping, signature=b"")
send(ping, signature=sign(ping, b"wrong"))
send(ping, signature=sign(ping).upper())
shell.send_multipart([DELIMITER, sign(ping)] + ping[:2])
shell.send_multipart([DELIMITER])
shell.send_multipart([b""])
shell.send(os.urandom(100))
send([b"{"] + ping[1:])
send([b"null"] + ping[1:])
send([b"[]"] + ping[1:])
send(parts("x_request", b"7"))
send(parts("x_request", b"\xff\xfe"))
send(parts("x_request", b'{"a":' + b"[" * 100000 + b"]" * 100000 + b"}"))
send(parts("big_request", b'{"code":"' + b"x" * (100 << 20) + b'"}'))
for _ in range(20000):
    shell.send_multipart([DELIMITER, b"flood", b"{}", b"{}", b"{}", b"{}"])
send(parts("invented_request"))
replay = parts("kernel_info_request", msg_id="once")
send(replay)
send(replay)
send(parts("kernel_info_request", msg_id="last"))

answers = []
while not answers or answers[-1] != ["kernel_info_reply", "last"]:
    if not shell.poll(60000):
        break
    frames = shell.recv_multipart()
    at = frames.index(DELIMITER)
    assert frames[at + 1] == sign(frames[at + 2 : at + 6])
    header, parent = json.loads(frames[at + 2]), json.loads(frames[at + 3])
    answers.append([header["msg_type"], parent["msg_id"] if len(parent["msg_id"]) < 9 else ""])
print(json.dumps(answers))
