"""Says what a kernel answers at its sockets, one word each; a word is missing when the answer is."""
import os
import sys

from wire import Client

path = os.path.join(os.environ['LLMSPELL_HOME'], 'run', 'kernels', os.environ['KERNEL_ID'] + '.json')
with Client(path) as client:
    client.heartbeat(timeout=5)
    words = ['heartbeat']
    if client.request('kernel_info_request', timeout=5).status == 'ok' and client.request('kernel_info_request', channel='control', timeout=5).status == 'ok':
        words.append('kernel_info')
    if client.request('complete_request', {'code': 'pri', 'cursor_pos': 3}, timeout=5).status == 'ok':
        words.append('complete')
    print(*words)
    sys.stdout.flush()
