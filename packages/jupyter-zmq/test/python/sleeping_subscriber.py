"""Subscribes, asks for output, sleeps while it is sent, then reads all of it. Prints one JSON line."""

import json
import sys
import time

from jupyter_client import BlockingKernelClient

connection_file, code, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
client = BlockingKernelClient(connection_file=connection_file)
client.load_connection_file()
client.start_channels()
client.wait_for_ready(timeout=30)
msg_id = client.execute(code)
time.sleep(seconds)

text, last, expected, in_order, states = 0, None, 0, True, []
while True:
    msg = client.get_iopub_msg(timeout=60)
    if msg["parent_header"].get("msg_id") != msg_id:
        continue
    last = msg["msg_type"]
    if last == "stream":
        text += len(msg["content"]["text"])
        for line in msg["content"]["text"].splitlines():
            in_order = in_order and line.split(" ")[0] == str(expected)
            expected += 1
    if last == "status":
        states.append(msg["content"]["execution_state"])
        if states[-1] == "idle":
            break
client.stop_channels()
print(json.dumps({"lines": expected, "in_order": in_order, "characters": text, "states": states, "last": last}))
