"""A peer whose libzmq sends ZMTP heartbeats and gives up without answers. Prints one JSON line."""

import json
import sys
import time

import zmq
from jupyter_client.session import Session
from zmq.utils.monitor import recv_monitor_message

with open(sys.argv[1]) as file:
    info = json.load(file)
context = zmq.Context()
session = Session(key=info["key"].encode(), signature_scheme=info["signature_scheme"])
shell = context.socket(zmq.DEALER)
shell.linger = 0
shell.heartbeat_ivl, shell.heartbeat_timeout, shell.heartbeat_ttl = 100, 20000, 20000
monitor = shell.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED)
shell.connect("tcp://%s:%d" % (info["ip"], info["shell_port"]))
time.sleep(1.5)
session.send(shell, "kernel_info_request", {})
answer = session.recv(shell, mode=0)[1]["msg_type"]
events = []
while monitor.poll(100):
    events.append(recv_monitor_message(monitor)["event"])
print(json.dumps({"answer": answer, "handshakes": events.count(zmq.EVENT_HANDSHAKE_SUCCEEDED), "losses": events.count(zmq.EVENT_DISCONNECTED)}))
