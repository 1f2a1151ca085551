"""A pyzmq client over CURVE, and one without keys that must get nothing. Prints one JSON line."""

import json
import sys

import zmq
from jupyter_client.session import Session

with open(sys.argv[1]) as file:
    info = json.load(file)
context = zmq.Context()
session = Session(key=info["key"].encode(), signature_scheme=info["signature_scheme"])


def ask(encrypted, timeout):
    socket = context.socket(zmq.DEALER)
    socket.linger = 0
    if encrypted:
        socket.curve_serverkey = info["curve_publickey"].encode()
        socket.curve_publickey, socket.curve_secretkey = zmq.curve_keypair()
    socket.connect("tcp://%s:%d" % (info["ip"], info["shell_port"]))
    session.send(socket, "kernel_info_request", {})
    answered = bool(socket.poll(timeout))
    kind = session.recv(socket)[1]["msg_type"] if answered else None
    socket.close()
    return kind


print(json.dumps({"encrypted": ask(True, 30000), "plain": ask(False, 1000)}))
