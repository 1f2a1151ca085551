"""Who starts a kernel by handshake: acknowledges one registration (or refuses it). Prints its port, then the request."""

import json
import sys

import zmq
from jupyter_client.session import Session

context = zmq.Context()
socket = context.socket(zmq.REP)
print(socket.bind_to_random_port("tcp://127.0.0.1"), flush=True)
session = Session(key=sys.argv[1].encode())
_, message = session.recv(socket, mode=0)
reply = {"status": "ok"} if sys.argv[2] == "ok" else {"status": "error", "ename": "E", "evalue": "unknown kernel", "traceback": []}
session.send(socket, "handshake_reply", reply, parent=message["header"])
print(json.dumps([message["msg_type"], message["content"]]), flush=True)
