"""A kernel driven by jupyter_client: requests, input, pipelining, large output, shutdown. Prints one JSON line."""

import json
import sys
import time

from jupyter_client import BlockingKernelClient

client = BlockingKernelClient(connection_file=sys.argv[1])
client.load_connection_file()
client.start_channels()
client.wait_for_ready(timeout=30)
seen = {"alive": client.is_alive()}

outputs = []
reply = client.execute_interactive("echo π 😀", timeout=30, output_hook=lambda m: outputs.append(m["msg_type"]))
seen["reply"] = reply["content"]["status"]
seen["outputs"] = outputs

printed = []
client.execute_interactive(
    "ask",
    timeout=30,
    allow_stdin=True,
    output_hook=lambda m: printed.append(m["content"].get("text")),
    stdin_hook=lambda m: client.input("typed: " + m["content"]["prompt"]),
)
seen["input"] = [text for text in printed if text]

ids = [client.execute("echo %d" % i) for i in range(300)]
seen["pipelined"] = [client.get_shell_msg(timeout=30)["parent_header"]["msg_id"] for _ in ids] == ids

msg = client.session.msg("execute_request", {"code": "buffers", "silent": False})
client.session.send(client.shell_channel.socket, msg, buffers=[b"\x00\xff", b""])
while True:
    reply = client.get_shell_msg(timeout=30)
    if reply["parent_header"]["msg_id"] == msg["header"]["msg_id"]:
        break
seen["buffers"] = [list(bytes(b)) for b in reply["buffers"]]

seen["control"] = client.control_channel.is_alive()
msg = client.session.msg("kernel_info_request", {})
client.control_channel.send(msg)
seen["control"] = client.get_control_msg(timeout=30)["msg_type"]

time.sleep(1.5)
seen["still_alive"] = client.is_alive()
client.stop_channels()
print(json.dumps(seen))
